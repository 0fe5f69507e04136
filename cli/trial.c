/*  trial.c - a command that is asked what it would do */

#include "cli/trial.h"

#include <string.h>

#include "core/error.h"

#define NAME_SIZE 64

static const char *const transports[] = {
    [ENDPOINT_TCP] = "tcp", [ENDPOINT_IPC] = "ipc", [ENDPOINT_INPROC] = "inproc"
};

bool
trial_endpoints (struct cli *cli, const char *kind, const struct security_config *security, const char *list,
                 enum endpoint_side side)
{
    struct endpoint endpoint;
    bool right = true;
    int rc;
    while ((rc = endpoint_next (&list, side, &endpoint)) == 1) {
        int bad = security_check (security, &endpoint);
        if (bad)
            cli_fail (cli, bad, NULL);
        else
            cli->trial->opens (cli->trial, kind, transports[endpoint.transport], strstr (endpoint.text, "://") + 3,
                               endpoint.side);
        right = right && bad == 0;
    }
    if (rc < 0)
        cli_fail (cli, rc, NULL);
    return right && rc == 0;
}

bool
trial_lists (struct cli *cli, const char *kind, const struct security_config *security,
             const struct option_list *lists, enum endpoint_side side)
{
    bool right = true;
    for (size_t i = 0; i < lists->count; i++)
        right &= trial_endpoints (cli, kind, security, lists->items[i], side);
    return right;
}

bool
trial_address (struct cli *cli, const char *kind, const char *transport, const char *address, enum endpoint_side side)
{
    const char *scheme = strstr (address, "://");
    if (strncmp (address, "unix:", 5) == 0) {
        transport = "unix";
        address += 5;
    }
    cli->trial->opens (cli->trial, kind, transport, scheme ? scheme + 3 : address, side);
    return true;
}

/* --------------------------------------------------------------- arguments */

/*  The name in "--name=value"; false for anything else. */
static bool
name_of (const char *argument, char name[NAME_SIZE])
{
    size_t length = strcspn (argument, "=");
    if (strncmp (argument, "--", 2) != 0 || !argument[length] || length <= 2 || length - 2 >= NAME_SIZE)
        return false;
    memcpy (name, argument + 2, length - 2);
    name[length - 2] = '\0';
    return true;
}

void
trial_arguments (struct trial *self, const struct option_group *groups, const char *command, int argc, char **argv)
{
    char name[NAME_SIZE], first[512], *operands[2];
    bool said = false;
    void *target;
    snprintf (first, sizeof first, "%s", weft_error ());
    for (int i = 1; i < argc; i++) {
        char *one[] = { argv[0], argv[i], NULL };
        int count;
        if (!name_of (argv[i], name))
            continue;
        if (!option_find_group (groups, name, &target)) {
            const char *near = option_nearest (groups, name);
            error_set (WEFT_EINVAL, "weft %s has no '%s'; %s%s%s", command, name,
                       near ? "did you mean '" : "weft help ", near ? near : command,
                       near ? "'?" : " has its options");
        } else if (option_parse (groups, 2, one, false, operands, &count) == 0)
            continue;
        const char *text = weft_error ();
        self->wrong (self, argv[i], text + (strncmp (text, "--", 2) == 0 ? 2 : 0));
        said = true;
    }
    if (!said)
        self->wrong (self, NULL, first);
}

bool
trial_repeated (struct trial *self, const struct option_group *groups, int argc, char **argv)
{
    char name[NAME_SIZE], other[NAME_SIZE];
    bool none = true;
    void *target;
    for (int i = 1; i < argc; i++) {
        const struct option *option = name_of (argv[i], name) ? option_find_group (groups, name, &target) : NULL;
        for (int j = 1; j < i && option && option->type != OPTION_LIST; j++)
            if (name_of (argv[j], other) && option_find_group (groups, other, &target) == option) {
                error_set (WEFT_EINVAL, "'%s' is given already, and has one value", name);
                self->wrong (self, argv[i], weft_error ());
                none = false;
                break;
            }
    }
    return none;
}
