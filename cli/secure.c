/*  secure.c - what every command that opens endpoints takes: keys */

#include "cli/secure.h"

const struct option secure_options[] = { OPTIONS_OF_SECURITY (offsetof (struct secure, security)), OPTION_END };

int
secure_apply (const struct secure *self, command_set_fn *set, void *handle)
{
    int rc = 0;
    for (const struct option *each = security_options; each->name && rc == 0; each++) {
        const char *field = (const char *) &self->security + each->offset;
        const char *value = each->type == OPTION_FLAG ? (*(const bool *) field ? "yes" : NULL)
                                                      : *(char *const *) (const void *) field;
        if (value)
            rc = set (handle, each, value);
    }
    return rc;
}
