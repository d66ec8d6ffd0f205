/* Places for labels beside dots, so that nothing stands over anything else. */
#pragma once

#include "base/vec.h"

struct label_box {
    double left;
    double top;
    double right;
    double bottom;
    bool is_line; /* may be crossed when there is no other place */
};

struct label_field {
    struct label_box area; /* labels stay in it */
    VEC(struct label_box) taken;
};

/* A place of this size near the dot, as the box of the label; it is taken from then on. */
struct label_box label_place(struct arena *arena, struct label_field *field, double x, double y,
    double width, double height);
