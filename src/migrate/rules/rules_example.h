/* What the examples of the rules are written with; how they are read: test_migrate_rules.c. */
#pragma once

/* Between two revisions of an example. */
#define NEXT "# --- next revision\n"

/* A whole file; body and way_back are one line each, or have lines that are indented. */
#define EXAMPLE_FILE(id, down, body, way_back)                                              \
    "# file:\nfrom alembic import op\nimport sqlalchemy as sa\nrevision = '" id             \
    "'\ndown_revision = " down "\n\n\ndef upgrade():\n    " body "\n\n\ndef downgrade():\n" \
    "    " way_back "\n"
#define BRANCH(id, down, body) EXAMPLE_FILE(id, down, body, "raise NotImplementedError")
