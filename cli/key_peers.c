/*  key_peers.c - weft key allow, revoke and list: who may connect, and for what */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/key.h"
#include "core/allow.h"
#include "core/error.h"
#include "core/file.h"

enum {
    TEXT_MAX = 64 << 10, /*  bytes of a file or an input that has a key      */
    WORDS_MAX = 4096     /*  bytes of all that a peer may do                 */
};

static int
list_path (const struct key_options *options, bool make, char path[KEY_PATH_MAX])
{
    if (!options->allow) {
        int rc = key_directory (path, make);
        return rc ? rc : key_path (path, "allowed", "");
    }
    int size = snprintf (path, KEY_PATH_MAX, "%s", options->allow);
    return size < KEY_PATH_MAX ? 0 : error_set (WEFT_ETOOBIG, "%.40s...: too long for a path", options->allow);
}

/* -------------------------------------------------------------------- list */

static int
add_words (struct buffer *out, const struct allow_entry *entry, bool json)
{
    int rc = json ? buffer_add_str (out, ",\"for\":[") : 0;
    const char *parting = "";
    for (const char *word = entry->may; *word && rc == 0; word += strlen (word) + 1, parting = json ? "," : " ") {
        struct buffer member;
        buffer_init (&member, 0);
        rc = buffer_add_str (out, parting);
        if (rc == 0 && json)
            rc = key_add_member (&member, "", word);
        /*  {"":"word" without its beginning. */
        rc = rc     ? rc
             : json ? buffer_add (out, buffer_data (&member) + 4, buffer_size (&member) - 4)
                    : buffer_add_str (out, word);
        buffer_free (&member);
    }
    if (rc == 0 && !json && !*entry->may)
        rc = buffer_add_str (out, "everything");
    return rc || !json ? rc : buffer_add_str (out, "]");
}

static int
add_json (struct buffer *out, const struct allow_entry *entry, const char *path)
{
    char print[KEY_FINGERPRINT];
    key_fingerprint (entry->key, print);
    int rc = key_add_member (out, "name", entry->name);
    rc = rc ? rc : key_add_member (out, "public_key", entry->key);
    rc = rc ? rc : key_add_member (out, "fingerprint", print);
    rc = rc ? rc : key_add_member (out, "list", path);
    rc = rc ? rc : add_words (out, entry, true);
    return rc ? rc : buffer_addf (out, ",\"revoked\":%s}\n", entry->revoked ? "true" : "false");
}

static int
add_line (struct buffer *out, const struct allow_entry *entry)
{
    char print[KEY_FINGERPRINT];
    key_fingerprint (entry->key, print);
    int rc = buffer_addf (out, "%-16s  %s  ", entry->name, print);
    rc = rc || !entry->revoked ? rc : buffer_add_str (out, "revoked; was for ");
    rc = rc ? rc : add_words (out, entry, false);
    return rc ? rc : buffer_add_str (out, "\n");
}

int
key_list (struct cli *cli, const struct key_options *options, char **operands, int count)
{
    (void) operands, (void) count;
    char path[KEY_PATH_MAX];
    struct allow_list *list = NULL;
    struct buffer out;
    buffer_init (&out, 0);
    int rc = list_path (options, false, path);
    rc = rc ? rc : allow_list_read (&list, path);
    for (size_t i = 0; rc == 0 && i < allow_list_count (list); i++)
        rc = options->json ? add_json (&out, allow_list_at (list, i), path) : add_line (&out, allow_list_at (list, i));
    if (rc == 0 && allow_list_count (list) == 0)
        cli_note (cli, "%s is empty: nobody is let in", path);
    int status = key_write (cli, rc, &out);
    allow_list_free (&list);
    buffer_free (&out);
    return status;
}

/*  What stands there now, said to people and to programs. */
static int
tell (struct cli *cli, const struct key_options *options, const char *path, const char *name, const char *then)
{
    struct allow_list *list;
    struct buffer out;
    char print[KEY_FINGERPRINT];
    buffer_init (&out, 0);
    int rc = allow_list_read (&list, path);
    const struct allow_entry *entry = rc ? NULL : allow_list_find_name (list, name);
    if (rc == 0 && !entry)
        rc = error_set (WEFT_ESTATE, "%s: %s is not on that list any more; somebody else has changed it", path, name);
    if (rc == 0 && !entry->revoked)
        rc = add_words (&out, entry, false);
    rc = rc ? rc : buffer_terminate (&out);
    if (rc == 0) {
        key_fingerprint (entry->key, print);
        cli_note (cli, "%s (fingerprint %s) %s %s, line %zu%s", name, print,
                  entry->revoked ? "is revoked in" : "is allowed in", path, allow_list_line (list, entry), then);
    }
    if (rc == 0 && !entry->revoked)
        cli_note (cli, "it may do %s; compare the fingerprint with what '%s' shows there, by another way than it came",
                  buffer_data (&out), "weft key show");
    buffer_clear (&out);
    if (rc == 0 && options->json)
        rc = add_json (&out, entry, path);
    int status = key_write (cli, rc, &out);
    allow_list_free (&list);
    buffer_free (&out);
    return status;
}

/* ------------------------------------------------------------------- allow */

/*  --for as words in `text`; NULL when there is none, which leaves what the peer may do. */
static int
take_words (const struct key_options *options, char text[WORDS_MAX], const char **may)
{
    size_t used = 0;
    *may = options->what.count ? text : NULL;
    for (size_t i = 0; i < options->what.count; i++) {
        const char *word = options->what.items[i];
        if (strcmp (word, "all") == 0 && options->what.count == 1)
            break;
        int rc = strcmp (word, "all") == 0 ? error_set (WEFT_EINVAL, "--for all leaves no room for another --for")
                                           : allow_check_may (word);
        if (rc)
            return rc;
        size_t size = strlen (word) + 1;
        if (size + 1 > WORDS_MAX - used)
            return error_set (WEFT_ETOOBIG, "--for: too many, over %d bytes in all", WORDS_MAX);
        memcpy (text + used, word, size);
        used += size;
    }
    text[used] = '\0';
    return 0;
}

static int
read_input (struct cli *cli, struct buffer *text)
{
    for (;;) {
        char *room = buffer_reserve (text, 4096);
        ssize_t size = room ? read (cli->in, room, 4096) : -1;
        if (!room)
            return WEFT_ENOMEM;
        if (size < 0 && errno != EINTR)
            return error_errno ("standard input");
        if (size < 0 && cli->stopped (cli))
            return error_set (WEFT_EINTR, "standard input: interrupted");
        if (size == 0)
            return 0;
        buffer_wrote (text, size > 0 ? (size_t) size : 0);
        if (buffer_size (text) > TEXT_MAX)
            return error_set (WEFT_ETOOBIG, "standard input: over %d bytes, and no key", TEXT_MAX);
    }
}

/*  A text is a key alone, or a certificate. */
static int
take_text (struct cli *cli, struct buffer *text, const char *what, char key[KEY_TEXT])
{
    int rc = buffer_terminate (text);
    if (rc)
        return rc;
    const char *begin = buffer_data (text) + strspn (buffer_data (text), " \t\r\n");
    size_t size = strcspn (begin, " \t\r\n");
    bool alone = begin[size + strspn (begin + size, " \t\r\n")] == '\0';
    if (size == KEY_TEXT - 1 && alone) {
        memcpy (key, begin, size);
        key[size] = '\0';
        if (key_is_text (key))
            return 0;
    }
    if (alone)
        return error_set (WEFT_EPROTO, "%s: a key has 40 characters of Z85, and what is there has %zu", what, size);
    struct certificate certificate;
    rc = certificate_parse (&certificate, buffer_data (text), buffer_size (text), what);
    memcpy (key, certificate.public_key, KEY_TEXT);
    if (certificate.secret_key[0])
        cli_note (cli,
                  "%s holds the secret key, too, which is nobody's but its owner's; 'weft key show NAME --public' "
                  "makes what is to be handed over",
                  what);
    certificate_forget (&certificate);
    return rc;
}

static int
take_key (struct cli *cli, const char *operand, char key[KEY_TEXT])
{
    struct buffer text;
    struct stat status;
    bool input = strcmp (operand, "-") == 0;
    /*  What is in the directory of keys is found by its name first. */
    if (!input && !strchr (operand, '/') && certificate_find_public (key, operand) == 0)
        return 0;
    if (!input && (key_is_text (operand) || stat (operand, &status)))
        return certificate_find_public (key, operand);
    buffer_init (&text, 0);
    int rc = input ? read_input (cli, &text) : file_read (operand, TEXT_MAX, &text, &status);
    rc = rc ? rc : take_text (cli, &text, input ? "standard input" : operand, key);
    file_forget (&text);
    return rc;
}

int
key_allow (struct cli *cli, const struct key_options *options, char **operands, int count)
{
    (void) count;
    char path[KEY_PATH_MAX], words[WORDS_MAX];
    struct allow_entry entry = { .revoked = false }, was;
    if (!key_is_name (operands[0])) {
        cli_error (cli, "'%s': a peer's name is of up to %d letters, digits and . _ -%s", operands[0], KEY_NAME_MAX,
                   key_is_text (operands[0]) ? "; the name comes first, then the key" : "");
        return EXIT_USAGE;
    }
    strcpy (entry.name, operands[0]);
    int rc = take_words (options, words, &entry.may);
    rc = rc ? rc : take_key (cli, operands[1], entry.key);
    rc = rc ? rc : list_path (options, true, path);
    rc = rc ? rc : allow_file_put (path, &entry, options->replace, &was);
    if (rc)
        return cli_fail (cli, rc, NULL);
    return tell (cli, options, path, entry.name, was.revoked ? "; it was revoked before" : "");
}

/* ------------------------------------------------------------------ revoke */

int
key_revoke (struct cli *cli, const struct key_options *options, char **operands, int count)
{
    (void) count;
    char path[KEY_PATH_MAX];
    struct allow_entry was;
    if (!key_is_name (operands[0]) && !key_is_text (operands[0])) {
        cli_error (cli, "'%s' is neither a name nor a public key (40 characters, in single quotes)", operands[0]);
        return EXIT_USAGE;
    }
    int rc = list_path (options, false, path);
    rc = rc ? rc : allow_file_revoke (path, operands[0], &was);
    if (rc)
        return cli_fail (cli, rc, NULL);
    return tell (cli, options, path, was.name, was.revoked ? "; it was already" : "");
}
