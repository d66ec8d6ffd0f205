#include "vector/report/page_label.h"

#include <math.h>

static double
common_area(const struct label_box *a, const struct label_box *b)
{
    double width = fmin(a->right, b->right) - fmax(a->left, b->left);
    double height = fmin(a->bottom, b->bottom) - fmax(a->top, b->top);

    return width > 0 && height > 0 ? width * height : 0;
}

/* How bad a place is: far from its dot, over lines, over other labels and dots. */
static double
cost_of(const struct label_field *field, const struct label_box *box, double distance)
{
    double cost = distance;

    if (box->left < field->area.left || box->right > field->area.right ||
        box->top < field->area.top || box->bottom > field->area.bottom)
        cost += 1e7;
    for (size_t i = 0; i < field->taken.count; i++) {
        const struct label_box *taken = &field->taken.items[i];
        double common = common_area(box, taken);

        if (common > 0)
            cost += taken->is_line ? 12 + common / 10 : 1e4 + 100 * common;
    }
    return cost;
}

struct label_box
label_place(
    struct arena *arena, struct label_field *field, double x, double y, double width, double height)
{
    static const double distances[] = { 9, 14, 20, 28, 38, 50, 64, 80, 100, 125, 155 };
    enum { ANGLES = 16 };
    struct label_box best = { x, y, x + width, y + height, false };
    double least = INFINITY;

    for (size_t i = 0; i < COUNT_OF(distances); i++) {
        for (int k = 0; k < ANGLES; k++) {
            double angle = 2 * M_PI * (k - 2) / ANGLES;
            /* The nearest edge of the label, not its middle, is so far away. */
            double middle_x = x + cos(angle) * (distances[i] + width / 2);
            double middle_y = y + sin(angle) * (distances[i] + height / 2);
            const struct label_box box = {
                .left = middle_x - width / 2,
                .top = middle_y - height / 2,
                .right = middle_x + width / 2,
                .bottom = middle_y + height / 2,
            };
            double cost = cost_of(field, &box, distances[i]);

            if (cost < least) {
                least = cost;
                best = box;
            }
        }
    }
    VEC_PUSH(arena, &field->taken, best);
    return best;
}
