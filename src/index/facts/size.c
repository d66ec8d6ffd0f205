/* The size of an index that is not there, by the statistics of its table. */
#include <math.h>

#include "index/facts/size_part.h"

void
facts_index_size(const struct facts *facts, const struct fact_table *table,
    const struct index_candidate *candidate, struct fact_index_size *ret)
{
    double share = size_share(table, candidate->predicate);
    double rows = fmax(table->planner_rows, 0) * share;
    double bytes;

    if (strcmp(candidate->method, "gin") == 0)
        bytes = size_gin(table, candidate, share);
    else if (strcmp(candidate->method, "hash") == 0)
        bytes = size_hash(table, candidate, share);
    else if (strcmp(candidate->method, "brin") == 0)
        bytes = size_brin(table, candidate);
    else if (strcmp(candidate->method, "gist") == 0 || strcmp(candidate->method, "spgist") == 0)
        bytes = size_gist(table, candidate, share);
    else if (strcmp(candidate->method, "hnsw") == 0)
        bytes = size_hnsw(table, candidate, share);
    else if (strcmp(candidate->method, "ivfflat") == 0)
        bytes = size_ivfflat(table, candidate, share);
    else
        bytes = size_btree(table, candidate, share);

    /* Pages of another size hold as much more or less. */
    (void)facts;
    *ret = (struct fact_index_size){ .bytes = (int64_t)bytes, .entries = rint(rows) };
}
