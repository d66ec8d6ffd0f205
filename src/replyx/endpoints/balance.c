/*
 * GET /balance: what the user has.
 *   balance, total_spent, total_topped_up  0 for one who has no balance yet
 *   transactions_count                     of all times
 *   recent_transactions[]                  the last ten, newest first (of the same time: higher id first)
 *     id, amount, transaction_type, description (or null), balance_before, balance_after, created_at
 */
#include "replyx/call.h"
#include "replyx/endpoints/endpoints.h"
#include "replyx/print.h"
#include "sql.h"

static bool
read_args(struct ctx *ctx, struct call *call, void *args)
{
    struct sql_replyx_api_balance_args *ret = args;

    (void)ctx;
    ret->user_id = (int32_t)call->user;
    return true;
}

static void
print_transaction(const struct sql_replyx_api_transactions_last *transaction, struct buffer *out)
{
    print_open(out, '{');
    print_key(out, "id");
    print_int(out, transaction->id);
    print_key(out, "amount");
    print_number(out, transaction->amount);
    print_key(out, "transaction_type");
    print_text(out, transaction->transaction_type);
    print_key(out, "description");
    print_text(out, transaction->description);
    print_key(out, "balance_before");
    print_number(out, transaction->balance_before);
    print_key(out, "balance_after");
    print_number(out, transaction->balance_after);
    print_key(out, "created_at");
    print_time(out, transaction->created_at);
    print_close(out, '}');
}

/* Three queries, one after the other. */
static bool
run_naive(struct ctx *ctx, struct call *call, struct straight *straight, const void *args,
    struct buffer *ret_body)
{
    static const struct sql_replyx_api_balance_naive nothing = { "0", "0", "0" };
    const struct sql_replyx_api_balance_naive *balance;
    struct sql_replyx_api_balance_naive_rows balances;
    struct sql_replyx_api_transactions_count_rows counts;
    struct sql_replyx_api_transactions_last_rows recent;

    (void)call;
    if (!straight_ask(ctx, straight, &query_replyx_api_balance_naive, args, &balances) ||
        !straight_ask(ctx, straight, &query_replyx_api_transactions_count, args, &counts) ||
        !straight_ask(ctx, straight, &query_replyx_api_transactions_last, args, &recent))
        return false;
    balance = balances.count > 0 ? &balances.items[0] : &nothing;
    print_open(ret_body, '{');
    print_key(ret_body, "balance");
    print_number(ret_body, balance->balance);
    print_key(ret_body, "total_spent");
    print_number(ret_body, balance->total_spent);
    print_key(ret_body, "total_topped_up");
    print_number(ret_body, balance->total_topped_up);
    print_key(ret_body, "transactions_count");
    print_int(ret_body, counts.items[0].count);
    print_key(ret_body, "recent_transactions");
    print_open(ret_body, '[');
    for (size_t i = 0; i < recent.count; i++)
        print_transaction(&recent.items[i], ret_body);
    print_close(ret_body, ']');
    print_close(ret_body, '}');
    return true;
}

static const struct variant variants[] = {
    { .name = "naive", .run = run_naive },
    { .name = "optimised", .query = &query_replyx_api_balance, .lane = POOL_SHARED },
};

const struct endpoint endpoint_balance = {
    .name = "balance",
    .methods = HTTP_GET,
    .path = "/balance",
    .args_size = sizeof(struct sql_replyx_api_balance_args),
    .read = read_args,
    .variants = variants,
    .variant_count = COUNT_OF(variants),
};
