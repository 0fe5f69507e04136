/*  security.c - the options key, server-key, allow and insecure, and what they come to */

#include "core/security.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"

const struct option security_options[] = { OPTIONS_OF_SECURITY (0), OPTION_END };

/*  An empty text is as none. */
static bool
given (const char *text)
{
    return text && *text;
}

/* ------------------------------------------------------------------- loading */

/*  What --allow takes, or the list that weft key allow keeps. */
static int
list_path (const struct security_config *self, char path[KEY_PATH_MAX])
{
    if (!given (self->allow))
        return key_path (path, "allowed", "");
    if (snprintf (path, KEY_PATH_MAX, "%s", self->allow) >= KEY_PATH_MAX)
        return error_set (WEFT_ETOOBIG, "allow: the path is too long");
    return 0;
}

/*  Under the option's name: whose mistake it is would not be known otherwise. */
static int
explain (const char *option, int rc)
{
    return rc ? error_set (rc, "%s: %s", option, weft_error ()) : 0;
}

int
security_load (const struct security_config *self, const char *peers, struct wire_options *options)
{
    struct wire_security *security = &options->security;
    struct certificate certificate;
    char path[KEY_PATH_MAX];
    *security = (struct wire_security) { .peers = peers };
    if (!given (self->key))
        return 0;
    int rc = explain ("key", certificate_find (&certificate, self->key));
    if (rc)
        return rc;
    memcpy (security->public_key, certificate.public_key, KEY_TEXT);
    memcpy (security->secret_key, certificate.secret_key, KEY_TEXT);
    certificate_forget (&certificate);
    if (given (self->server_key))
        rc = explain ("server-key", certificate_find_public (security->server_key, self->server_key));
    rc = rc ? rc : list_path (self, path);
    if (rc == 0 && allow_open (&security->allow, path) && !security->allow)
        rc = WEFT_ENOMEM;
    if (rc)
        security_unload (options);
    return rc;
}

void
security_unload (struct wire_options *options)
{
    allow_release (&options->security.allow);
    explicit_bzero (&options->security, sizeof options->security);
}

/* ------------------------------------------------------------------ checking */

static int
check_bind (const struct security_config *self, const struct endpoint *endpoint)
{
    if (given (self->allow) && !given (self->key))
        return error_set (WEFT_EINVAL, "allow: a list of keys is of no use without a key of our own (weft key new "
                          "NAME, then --key NAME)");
    if (given (self->key) || self->insecure || endpoint_is_local (endpoint))
        return 0;
    return error_set (WEFT_EACCES, "%s is open to the network, and in clear text. Either make keys ('weft key new "
                      "NAME', and 'weft key allow PEER KEY' for each peer) and say --key NAME, or bind to "
                      "127.0.0.1, or say --insecure", endpoint->text);
}

static int
check_connect (const struct security_config *self, const struct endpoint *endpoint)
{
    if (given (self->key) && !given (self->server_key))
        return error_set (WEFT_EINVAL, "%s: to connect with a key takes the public key of whoever listens there, too "
                          "(--server-key KEY)", endpoint->text);
    if (given (self->server_key) && !given (self->key))
        return error_set (WEFT_EINVAL, "%s: server-key is of no use without a key of our own (weft key new NAME, then "
                          "--key NAME)", endpoint->text);
    return 0;
}

int
security_check (const struct security_config *self, const struct endpoint *endpoint)
{
    if (endpoint->transport == ENDPOINT_INPROC)
        return 0;
    return endpoint->side == ENDPOINT_BIND ? check_bind (self, endpoint) : check_connect (self, endpoint);
}

void
security_listens (const struct security_config *self, const struct endpoint *endpoint, const struct log *log)
{
    struct allow_list *list = NULL;
    char path[KEY_PATH_MAX];
    if (!given (self->key) || endpoint->transport == ENDPOINT_INPROC)
        return;
    int rc = list_path (self, path);
    rc = rc ? rc : allow_list_read (&list, path);
    if (rc)
        log_warning (log, "%s: nobody can connect: %s", endpoint->text, weft_error ());
    else if (allow_list_count (list) == 0)
        log_warning (log, "%s: nobody can connect: the list %s is empty (weft key allow PEER KEY)", endpoint->text,
                     path);
    allow_list_free (&list);
}
