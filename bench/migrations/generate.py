#!/usr/bin/env python3
"""Writes an Alembic versions folder of COUNT revisions that replays: the same each time.

Usage: bench/migrations/generate.py FOLDER COUNT

The revisions are of the usual size, 2.4 kB, and of the usual operations: tables, columns, indexes,
foreign keys, alterations, SQL text and batches, and a downgrade. Two of a hundred stand side by side
and are merged by the next.
"""
import hashlib
import pathlib
import random
import sys

HEADER = '''"""{message}

Revision ID: {id}
Revises: {revises}
Create Date: 2025-{month:02}-{day:02} {hour:02}:12:54.181000

"""
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision: str = '{id}'
down_revision: Union[str, Sequence[str], None] = {down!r}
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
{upgrade}

def downgrade() -> None:
{downgrade}'''

NOUNS = ("account", "message", "invoice", "session", "campaign", "webhook", "document", "payment", "contact", "audit_log")
COLUMNS = (
    "sa.Column('{0}_name', sa.String(length=255), nullable=False),",
    "sa.Column('{0}_state', sa.String(length=32), server_default='new', nullable=False),",
    "sa.Column('{0}_count', sa.Integer(), server_default=sa.text('0'), nullable=False),",
    "sa.Column('{0}_at', sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=True),",
    "sa.Column('{0}_body', sa.Text(), nullable=True),",
    "sa.Column('{0}_price', sa.Numeric(precision=12, scale=2), nullable=True),",
    "sa.Column('{0}_data', postgresql.JSONB(astext_type=sa.Text()), nullable=True),",
    "sa.Column('is_{0}', sa.Boolean(), server_default=sa.text('false'), nullable=False),",
)
WORDS = ("primary", "billing", "public", "legacy", "external", "internal", "default", "current", "pending", "mobile")


class History:
    def __init__(self, folder):
        self.folder = folder
        self.random = random.Random(45)
        self.tables = []
        self.usable = 0  # so many of the tables are there for whatever revision is being written

    def table(self):
        return self.random.choice(self.tables[max(0, self.usable - 200):self.usable])

    def create_table(self, n):
        """Lines of a CREATE TABLE with its index, and those that undo it."""
        table = f"{self.random.choice(NOUNS)}_{n}"
        lines = ["op.create_table(", f"    '{table}',", "    sa.Column('id', sa.BigInteger(), nullable=False),"]
        for word in self.random.sample(WORDS, 5):
            lines.append("    " + self.random.choice(COLUMNS).format(word))
        if self.usable:
            parent = self.table()
            lines.append("    sa.Column('parent_id', sa.BigInteger(), nullable=True),")
            lines.append(f"    sa.ForeignKeyConstraint(['parent_id'], ['{parent}.id'], ondelete='CASCADE'),")
        lines += ["    sa.PrimaryKeyConstraint('id'),", ")"]
        lines.append(f"op.create_index(op.f('ix_{table}_id'), '{table}', ['id'], unique=True)")
        self.tables.append(table)
        return lines, [f"op.drop_index(op.f('ix_{table}_id'), table_name='{table}')", f"op.drop_table('{table}')"]

    def add_columns(self, n):
        table = self.table()
        name = f"added_{n}"
        up = [
            f"op.add_column('{table}', sa.Column('{name}', sa.String(length=64), nullable=True))",
            f"op.execute(\"UPDATE {table} SET {name} = 'none' WHERE {name} IS NULL\")",
            f"op.alter_column('{table}', '{name}', existing_type=sa.String(length=64), nullable=False)",
            f"op.create_index('ix_{table}_{name}', '{table}', ['{name}', 'id'], unique=False)",
        ]
        return up, [f"op.drop_index('ix_{table}_{name}', table_name='{table}')", f"op.drop_column('{table}', '{name}')"]

    def alter_by_sql(self, n):
        table = self.table()
        name = f"rank_{n}"
        up = [
            'op.execute("""',
            f"    ALTER TABLE {table} ADD COLUMN {name} integer DEFAULT 0",
            f"        CONSTRAINT ck_{table}_{name} CHECK ({name} >= 0)",
            '""")',
            f"with op.batch_alter_table('{table}') as batch_op:",
            f"    batch_op.add_column(sa.Column('old_{name}', sa.Integer(), nullable=True))",
            f"    batch_op.drop_column('old_{name}')",
        ]
        return up, [f"op.drop_column('{table}', '{name}')"]

    def body(self, n):
        """upgrade and downgrade of about 1,700 bytes."""
        up, down = [], []
        part = 0
        while sum(len(line) + 5 for line in up + down) < 1480:
            make = self.create_table if not self.usable else self.random.choice(
                (self.create_table, self.add_columns, self.add_columns, self.alter_by_sql))
            more, undo = make(f"{n}_{part}")
            up += more
            down = undo + down
            part += 1
        return up, down

    def write(self, n, parents, is_merge=False):
        revision = hashlib.sha256(str(n).encode()).hexdigest()[:12]
        message = f"{'merge' if is_merge else 'change'} {self.random.choice(NOUNS)} {n}"
        up, down = (["pass"], ["pass"]) if is_merge else self.body(n)
        text = HEADER.format(
            message=message, id=revision, revises=", ".join(parents), month=n % 12 + 1, day=n % 28 + 1, hour=n % 24,
            down=tuple(parents) if len(parents) > 1 else parents[0] if parents else None,
            upgrade="".join(f"    {line}\n" for line in up), downgrade="".join(f"    {line}\n" for line in down))
        (self.folder / f"{revision}_{message.replace(' ', '_')}.py").write_text(text, encoding="utf-8")
        return revision


def main():
    folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    history = History(folder)
    heads = []
    for n in range(count):
        if n % 100 == 52:  # beside the one before, and must not use what that makes
            heads.append(history.write(n, fork))
        else:
            fork = heads
            history.usable = len(history.tables)
            heads = [history.write(n, heads, is_merge=len(heads) > 1)]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main()
