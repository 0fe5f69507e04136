/*  certificate_find.c - where keys live, and which one is meant */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/certificate.h"
#include "core/error.h"
#include "core/file.h"

/*  Each folder of the path that is not there, for us alone. */
static int
make_directories (char *path)
{
    for (char *at = path + 1;; at++) {
        char c = *at;
        if (c != '/' && c != '\0')
            continue;
        *at = '\0';
        int rc = mkdir (path, 0700) && errno != EEXIST ? error_errno ("cannot make the directory %s", path) : 0;
        *at = c;
        if (rc || !c)
            return rc;
    }
}

static int
choose_directory (char path[KEY_PATH_MAX])
{
    const char *keys = getenv ("WEFT_KEYS"), *config = getenv ("XDG_CONFIG_HOME"), *home = getenv ("HOME");
    int size;
    if (keys && *keys)
        size = snprintf (path, KEY_PATH_MAX, "%s", keys);
    else if (config && *config == '/')
        size = snprintf (path, KEY_PATH_MAX, "%s/weft", config);
    else if (home && *home)
        size = snprintf (path, KEY_PATH_MAX, "%s/.config/weft", home);
    else
        return error_set (WEFT_EINVAL, "no directory for keys: neither WEFT_KEYS nor HOME is set");
    return size >= KEY_PATH_MAX ? error_set (WEFT_ETOOBIG, "the path of the directory for keys is too long") : 0;
}

int
key_directory (char path[KEY_PATH_MAX], bool make)
{
    struct stat status;
    int rc = choose_directory (path);
    rc = rc || !make ? rc : make_directories (path);
    if (rc)
        return rc;
    if (stat (path, &status))
        return errno == ENOENT ? 0 : error_errno ("%s", path);
    if (!S_ISDIR (status.st_mode))
        return error_set (WEFT_EINVAL, "%s: it should be the directory for keys, and is none", path);
    return file_trust (path, &status, 022);
}

int
key_path (char path[KEY_PATH_MAX], const char *name, const char *ending)
{
    int rc = key_directory (path, false);
    if (rc)
        return rc;
    size_t used = strlen (path);
    int size = snprintf (path + used, KEY_PATH_MAX - used, "/%s%s", name, ending);
    return size >= (int) (KEY_PATH_MAX - used) ? error_set (WEFT_ETOOBIG, "%s: the path is too long", name) : 0;
}

/*  Something of that name in the key directory. */
static int
is_there (char path[KEY_PATH_MAX], const char *name, const char *ending)
{
    if (!key_is_name (name))
        return 0;
    int rc = key_path (path, name, ending);
    return rc ? rc : access (path, F_OK) == 0;
}

/*  A file by its path: with a slash, or one that is there. */
static bool
is_file (const char *text)
{
    struct stat status;
    return strchr (text, '/') || (stat (text, &status) == 0 && !S_ISDIR (status.st_mode));
}

/*  The pair that CZMQ writes may have its half with the secret alone. */
static bool
is_pair (const char *text)
{
    char beside[KEY_PATH_MAX];
    return snprintf (beside, sizeof beside, "%s_secret", text) < KEY_PATH_MAX && access (beside, F_OK) == 0;
}

int
certificate_find (struct certificate *self, const char *text)
{
    char path[KEY_PATH_MAX];
    memset (self, 0, sizeof *self);
    int rc = strchr (text, '/') ? 0 : is_there (path, text, ".key");
    if (rc < 0)
        return rc;
    if (rc == 0 && !is_file (text) && !is_pair (text)) {
        if (!key_is_name (text))
            return error_set (WEFT_EINVAL, "%s: neither a key's name nor a file", text);
        return error_set (WEFT_EINVAL, "%s: there is no such key; make it: weft key new %s", text, text);
    }
    const char *file = rc ? path : text;
    rc = certificate_load (self, file);
    if (rc == 0 && !self->secret_key[0])
        rc = error_set (WEFT_EINVAL, "%s: it holds a public key only, and the secret one is needed", file);
    return rc;
}

/*  Said of what is neither a key nor a file: a key that a shell has mangled is not rare, and it may have a slash. */
static int
no_such_key (const char *text)
{
    size_t size = strlen (text);
    if (text[0] == '/' || strncmp (text, "./", 2) == 0 || strncmp (text, "../", 3) == 0)
        return error_set (WEFT_EINVAL, "%s: there is no such file", text);
    if (key_is_name (text))
        return error_set (WEFT_EINVAL,
                          "%s: there is no such key; give the public key (40 characters, in single quotes) or a file",
                          text);
    if (size == KEY_TEXT - 1)
        return error_set (WEFT_EINVAL, "%s: not a key: it has 40 characters, but not those of Z85", text);
    return error_set (WEFT_EINVAL,
                      "%s: neither a key nor a file: a key has 40 characters, and this has %zu; put it in single "
                      "quotes, or the shell changes it",
                      text, size);
}

int
certificate_find_public (char key[KEY_TEXT], const char *text)
{
    char path[KEY_PATH_MAX];
    struct certificate certificate;
    if (key_is_text (text)) {
        memcpy (key, text, KEY_TEXT);
        return 0;
    }
    int rc = strchr (text, '/') ? 0 : is_there (path, text, ".pub");
    rc = rc || strchr (text, '/') ? rc : is_there (path, text, ".key");
    if (rc < 0)
        return rc;
    if (rc == 0 && (!is_file (text) || access (text, F_OK)))
        return no_such_key (text);
    rc = certificate_load_plain (&certificate, rc ? path : text);
    if (rc == 0)
        memcpy (key, certificate.public_key, KEY_TEXT);
    certificate_forget (&certificate);
    return rc;
}
