/*  certificate.c - key pairs: made, read from a file, written to one */

#include "core/certificate.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"

enum { CERTIFICATE_MAX = 64 << 10 };

void
certificate_forget (struct certificate *self)
{
    explicit_bzero (self, sizeof *self);
}

int
certificate_new (struct certificate *self, const char *name)
{
    memset (self, 0, sizeof *self);
    if (!key_is_name (name))
        return error_set (WEFT_EINVAL,
                          "%s: a key's name is of up to %d letters, digits and . _ -, and does not begin "
                          "with . or -",
                          name, KEY_NAME_MAX);
    /*  One that begins with a letter or a digit is never taken for an option. It costs a third of a bit. */
    int rc;
    do
        rc = curve_keypair (self->public_key, self->secret_key);
    while (rc == 0 && !isalnum ((unsigned char) self->public_key[0]));
    strcpy (self->name, name);
    return rc;
}

/*  PATH alone, without the PATH_secret beside it. */
int
certificate_load_plain (struct certificate *self, const char *path)
{
    struct buffer data;
    struct stat status;
    memset (self, 0, sizeof *self);
    buffer_init (&data, 0);
    errno = 0;
    int rc = file_read (path, CERTIFICATE_MAX, &data, &status), saved = errno;
    if (rc == 0)
        rc = certificate_parse (self, buffer_data (&data), buffer_size (&data), path);
    if (rc == 0 && self->secret_key[0])
        rc = file_trust (path, &status, 077);
    if (rc)
        certificate_forget (self);
    file_forget (&data);
    errno = saved;
    return rc;
}

int
certificate_load (struct certificate *self, const char *path)
{
    char beside[KEY_PATH_MAX];
    int rc = certificate_load_plain (self, path);
    bool missing = rc && errno == ENOENT;
    if ((rc && !missing) || self->secret_key[0])
        return rc;
    int size = snprintf (beside, sizeof beside, "%s_secret", path);
    if (size >= (int) sizeof beside || access (beside, F_OK))
        return rc;
    struct certificate public = *self;
    rc = certificate_load_plain (self, beside);
    if (rc == 0 && !missing && strcmp (self->public_key, public.public_key) != 0)
        rc = error_set (WEFT_EPROTO, "%s and %s hold different public keys: they are no pair", path, beside);
    if (rc == 0 && !self->secret_key[0])
        rc = error_set (WEFT_EPROTO, "%s holds no secret key", beside);
    if (rc)
        certificate_forget (self);
    return rc;
}

int
certificate_print (const struct certificate *self, bool secret, struct buffer *out)
{
    char created[32];
    time_t now = time (NULL);
    struct tm utc;
    strftime (created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", gmtime_r (&now, &utc));
    int rc = buffer_add_str (out, secret ? "#  weft key. It holds a secret: keep it to yourself.\n"
                                         : "#  weft public certificate. It holds no secret: hand it over.\n");
    rc = rc ? rc : buffer_add_str (out, "metadata\n");
    if (rc == 0 && self->name[0])
        rc = buffer_addf (out, "    name = \"%s\"\n", self->name);
    if (rc == 0)
        rc = buffer_addf (out, "    created = \"%s\"\ncurve\n    public-key = \"%s\"\n", created, self->public_key);
    if (rc == 0 && secret)
        rc = buffer_addf (out, "    secret-key = \"%s\"\n", self->secret_key);
    return rc;
}

int
certificate_save (const struct certificate *self, const char *path, bool secret, bool replace)
{
    struct buffer data;
    buffer_init (&data, 0);
    /*  At once, so that the secret is not left behind where the buffer grew. */
    int rc = buffer_reserve (&data, 1024) ? certificate_print (self, secret, &data) : WEFT_ENOMEM;
    rc = rc ? rc : file_save (path, &data, secret ? 0600 : 0644, (gid_t) -1, replace);
    file_forget (&data);
    return rc;
}
