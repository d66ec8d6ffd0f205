#include "replyx/password.h"

#include <crypt.h>
#include <string.h>

#include "base/crypto.h"
#include "base/memory.h"
#include "db/background.h"

/* What the thread works on. */
struct checking {
    char *password;
    char *hash;
    bool is_right;
    password_checked *checked;
};

static void
work(void *data)
{
    struct checking *checking = data;
    struct crypt_data *memory = calloc(1, sizeof(*memory));
    const char *found = NULL;

    if (memory)
        found = crypt_r(checking->password, checking->hash, memory);
    /* A text that begins with an asterisk is libcrypt's way to fail. */
    checking->is_right = found && *found != '*' && secret_equal(found, checking->hash);
    if (memory)
        explicit_bzero(memory, sizeof(*memory));
    free(memory);
}

static void
done(void *owner, void *data)
{
    const struct checking *checking = data;

    checking->checked(owner, checking->is_right);
}

static void
drop(void *data)
{
    struct checking *checking = data;

    explicit_bzero(checking->password, strlen(checking->password));
    free(checking->password);
    free(checking->hash);
    free(checking);
}

bool
password_check(struct loop *loop, const char *password, const char *hash, password_checked *checked,
    void *data)
{
    struct checking *checking = calloc(1, sizeof(*checking));

    if (!checking || !(checking->password = strdup(password)) || !(checking->hash = strdup(hash)))
        memory_exhausted(0);
    checking->checked = checked;
    if (background_run(
            loop, &(const struct background_job){
                      .work = work, .done = done, .drop = drop, .data = checking, .owner = data }))
        /* cppcheck-suppress memleak ; it belongs to the job now */
        return true;
    drop(checking);
    return false;
}
