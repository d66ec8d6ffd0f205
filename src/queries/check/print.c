/* Sources: "Workflow commands for GitHub Actions" in its documentation; the JUnit schema of Jenkins. */
#include <inttypes.h>

#include "base/text.h"
#include "finding/render.h"
#include "queries/check/check.h"

/* What XML 1.0 allows; a test's output may be anybody's text. */
static void
put_xml(FILE *out, const char *text)
{
    bool is_utf8 = text_is_utf8(text);

    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte == '&' || byte == '<' || byte == '>' || byte == '"' || byte == '\'')
            fprintf(out, "&#%u;", byte);
        else if (byte == '\n' || byte == '\t')
            fputc(' ', out);
        else
            fputc(byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !is_utf8) ? '?' : byte, out);
    }
}

static void
put_case(FILE *out, const struct check_result *result)
{
    bool is_skipped = result->verdict == CHECK_VANISHED || result->verdict == CHECK_UNPROVEN;

    fputs("    <testcase classname=\"pgmend.queries\" name=\"", out);
    put_xml(out, result->route);
    if (!check_verdict_fails(result->verdict) && !is_skipped) {
        fputs("\"/>\n", out);
        return;
    }
    fprintf(out, "\">\n      <%s message=\"", is_skipped ? "skipped" : "failure");
    put_xml(out, result->message);
    fputs("\"/>\n    </testcase>\n", out);
}

void
check_print_junit(FILE *out, const struct check_results *results)
{
    size_t skipped = 0;

    for (size_t i = 0; i < results->count; i++)
        skipped += results->items[i].verdict == CHECK_VANISHED ||
                   results->items[i].verdict == CHECK_UNPROVEN;
    fprintf(out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
        "  <testsuite name=\"statements a request\" tests=\"%zu\" failures=\"%" PRId64
        "\" errors=\"0\" skipped=\"%zu\">\n",
        results->count, results->failed, skipped);
    for (size_t i = 0; i < results->count; i++)
        put_case(out, &results->items[i]);
    fputs("  </testsuite>\n</testsuites>\n", out);
}

void
check_print_github(FILE *out, const struct check_results *results)
{
    for (size_t i = 0; i < results->count; i++) {
        const struct check_result *result = &results->items[i];

        if (result->verdict == CHECK_SAME)
            continue;
        fprintf(out, "::%s title=", check_verdict_fails(result->verdict) ? "error" : "notice");
        render_github_text(out, result->route, true);
        fputs("::", out);
        render_github_text(out, result->message, false);
        fputc('\n', out);
    }
}
