/*  poolends.c - where the roles of a pool bind */

#include "cli/poolends.h"

#include "core/endpoint.h"
#include "core/error.h"

int
poolends_check (const char *text, bool insecure)
{
    struct endpoint endpoint;
    int rc = endpoint_parse (&endpoint, text, ENDPOINT_BIND);
    if (rc < 0 || insecure || endpoint_is_local (&endpoint))
        return rc < 0 ? rc : 0;
    return error_set (WEFT_EACCES, "%s is open to the network, and a pool runs commands; bind to 127.0.0.1 "
                      "(and reach it through ssh -L), or say --insecure", text);
}
