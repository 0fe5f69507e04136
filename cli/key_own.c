/*  key_own.c - weft key new and show: key pairs as files */

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/key.h"
#include "core/certificate.h"
#include "core/error.h"

enum { KEYS_MAX = 10000 }; /*  that are shown at once */

/*  The name of a key: as its file says, or else as the file is called. */
static void
name_key (const struct certificate *certificate, const char *path, char name[KEY_PATH_MAX])
{
    const char *slash = strrchr (path, '/');
    snprintf (name, KEY_PATH_MAX, "%s", certificate->name[0] ? certificate->name : slash ? slash + 1 : path);
    char *dot = certificate->name[0] ? NULL : strrchr (name, '.');
    if (dot && dot > name)
        *dot = '\0';
}

static int
add_json (struct buffer *out, const struct certificate *certificate, const char *path)
{
    char name[KEY_PATH_MAX], print[KEY_FINGERPRINT];
    name_key (certificate, path, name);
    key_fingerprint (certificate->public_key, print);
    int rc = key_add_member (out, "name", name);
    rc = rc ? rc : key_add_member (out, "public_key", certificate->public_key);
    rc = rc ? rc : key_add_member (out, "fingerprint", print);
    rc = rc ? rc : key_add_member (out, "file", path);
    return rc ? rc : buffer_addf (out, ",\"secret\":%s}\n", certificate->secret_key[0] ? "true" : "false");
}

static int
add_line (struct buffer *out, const struct certificate *certificate, const char *path)
{
    char name[KEY_PATH_MAX], print[KEY_FINGERPRINT];
    name_key (certificate, path, name);
    key_fingerprint (certificate->public_key, print);
    return buffer_addf (out, "%-16s  %s  %s  %s\n", name, certificate->public_key, print, path);
}

/* --------------------------------------------------------------------- new */

static int
choose_path (const struct key_options *options, const char *name, char path[KEY_PATH_MAX])
{
    if (options->file) {
        int size = snprintf (path, KEY_PATH_MAX, "%s", options->file);
        return size < KEY_PATH_MAX ? 0 : error_set (WEFT_ETOOBIG, "%.40s...: too long for a path", options->file);
    }
    int rc = key_directory (path, true);
    rc = rc ? rc : key_path (path, name, ".pub");
    if (rc == 0 && access (path, F_OK) == 0)
        return error_set (WEFT_ESTATE,
                          "%s is the key of somebody else, of the same name; choose another, or take that "
                          "file away",
                          path);
    return rc ? rc : key_path (path, name, ".key");
}

static int
make_key (struct cli *cli, const struct key_options *options, struct certificate *certificate, struct buffer *out)
{
    char path[KEY_PATH_MAX], print[KEY_FINGERPRINT];
    int rc = choose_path (options, certificate->name, path);
    rc = rc ? rc : certificate_save (certificate, path, true, options->replace);
    if (rc == WEFT_ESTATE && access (path, F_OK) == 0 && !strstr (path, ".pub"))
        return error_set (rc,
                          "%s is there already; 'weft key show %s' shows it, --replace puts a new key in its place, "
                          "and whoever knows the old one will not know the new one",
                          path, certificate->name);
    if (rc)
        return rc;
    key_fingerprint (certificate->public_key, print);
    cli_note (cli, "wrote %s, which holds the secret half: it stays here", path);
    cli_note (cli, "fingerprint %s; where it is to be let in: weft key allow %s '%s'", print, certificate->name,
              certificate->public_key);
    return options->json ? add_json (out, certificate, path) : buffer_addf (out, "%s\n", certificate->public_key);
}

int
key_new (struct cli *cli, const struct key_options *options, char **operands, int count)
{
    (void) count;
    struct certificate certificate;
    struct buffer out;
    buffer_init (&out, 0);
    int rc = certificate_new (&certificate, operands[0]);
    rc = rc ? rc : make_key (cli, options, &certificate, &out);
    certificate_forget (&certificate);
    int status = key_write (cli, rc, &out);
    buffer_free (&out);
    return status;
}

/* -------------------------------------------------------------------- show */

/*  NAME.key or NAME.pub in the directory of keys, or else a file. */
static int
locate (const char *text, char path[KEY_PATH_MAX])
{
    static const char *const endings[] = { ".key", ".pub" };
    for (int i = 0; i < 2 && key_is_name (text); i++) {
        int rc = key_path (path, text, endings[i]);
        if (rc || access (path, F_OK) == 0)
            return rc;
    }
    if (key_is_name (text) && access (text, F_OK))
        return error_set (WEFT_EINVAL, "%s: there is no such key; 'weft key show' lists those that are there", text);
    if (snprintf (path, KEY_PATH_MAX, "%s", text) >= KEY_PATH_MAX)
        return error_set (WEFT_ETOOBIG, "%.40s...: too long for a path", text);
    return 0;
}

static int
show_file (const struct key_options *options, const char *path, struct buffer *out)
{
    struct certificate certificate;
    int rc = options->public ? certificate_load_plain (&certificate, path) : certificate_load (&certificate, path);
    if (rc == 0 && options->public)
        rc = certificate_print (&certificate, false, out);
    else if (rc == 0)
        rc = options->json ? add_json (out, &certificate, path) : add_line (out, &certificate, path);
    certificate_forget (&certificate);
    return rc;
}

static int
is_key_file (const struct dirent *entry)
{
    const char *dot = strrchr (entry->d_name, '.');
    return entry->d_name[0] != '.' && dot && (strcmp (dot, ".key") == 0 || strcmp (dot, ".pub") == 0);
}

/*  What is wrong with one file does not hide the others; the first error is the status. */
static int
show_all (struct cli *cli, const struct key_options *options, struct buffer *out)
{
    char directory[KEY_PATH_MAX], path[KEY_PATH_MAX];
    struct dirent **entries = NULL;
    int status = EXIT_OK, rc = key_directory (directory, false);
    if (rc)
        return cli_fail (cli, rc, NULL);
    int count = scandir (directory, &entries, is_key_file, alphasort);
    if (count < 0 && errno != ENOENT)
        return cli_fail (cli, error_errno ("%s", directory), NULL);
    if (count <= 0)
        cli_note (cli, "there are no keys in %s; 'weft key new NAME' makes one", directory);
    for (int i = 0; i < count; i++) {
        if (i < KEYS_MAX && snprintf (path, sizeof path, "%s/%s", directory, entries[i]->d_name) < KEY_PATH_MAX)
            rc = show_file (options, path, out);
        if (rc)
            status = status ? (void) cli_fail (cli, rc, NULL), status : cli_fail (cli, rc, NULL);
        rc = 0;
        free (entries[i]);
    }
    free (entries);
    if (count > KEYS_MAX)
        cli_error (cli, "%s: only the first %d of %d keys are shown", directory, KEYS_MAX, count);
    return status;
}

int
key_show (struct cli *cli, const struct key_options *options, char **operands, int count)
{
    char path[KEY_PATH_MAX];
    struct buffer out;
    buffer_init (&out, 0);
    int status = EXIT_OK;
    if (options->public && count != 1) {
        cli_error (cli, "--public of which one? as in 'weft key show NAME --public'");
        return EXIT_USAGE;
    }
    if (count == 0)
        status = show_all (cli, options, &out);
    for (int i = 0; i < count; i++) {
        int rc = locate (operands[i], path);
        rc = rc ? rc : show_file (options, path, &out);
        int failed = rc ? cli_fail (cli, rc, NULL) : EXIT_OK;
        status = status ? status : failed;
    }
    int written = key_write (cli, 0, &out);
    buffer_free (&out);
    return status ? status : written;
}
