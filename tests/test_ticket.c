/*  test_ticket.c - what a worker elsewhere is handed, and what is refused of it */

#include "cli/ticket.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/folder.h"
#include "tests/testing.h"

static void
make (struct ticket *ticket, struct buffer *text)
{
    ticket_init (ticket);
    buffer_init (text, 0);
    snprintf (ticket->connect, sizeof ticket->connect, "tcp://head:4000");
    assert_int_equal (certificate_new (&ticket->key, "worker"), 0);
    memcpy (ticket->server_key, ticket->key.public_key, KEY_TEXT);
    assert_int_equal (ticket_add (ticket, "name", "n 1 = 2"), 0);
    assert_int_equal (ticket_add (ticket, "shell", NULL), 0);
    assert_int_equal (ticket_add (ticket, "slots", "50%"), 0);
    assert_int_equal (ticket_print (ticket, text), 0);
}

static void
assert_taken (const struct ticket *taken, const struct ticket *given)
{
    const char *at = NULL, *name, *value;
    assert_string_equal (taken->connect, given->connect);
    assert_string_equal (taken->server_key, given->server_key);
    assert_string_equal (taken->key.public_key, given->key.public_key);
    assert_string_equal (taken->key.secret_key, given->key.secret_key);
    assert_true (ticket_next (taken, &at, &name, &value));
    assert_string_equal (name, "name");
    assert_string_equal (value, "n 1 = 2");
    assert_true (ticket_next (taken, &at, &name, &value));
    assert_string_equal (name, "slots");
    assert_string_equal (value, "50%");
    assert_false (ticket_next (taken, &at, &name, &value));
}

static void
there_and_back (void **state)
{
    (void) state;
    struct ticket given, taken;
    struct buffer text;
    make (&given, &text);
    ticket_init (&taken);
    assert_int_equal (ticket_parse (&taken, buffer_data (&text), buffer_size (&text), "T"), 0);
    assert_taken (&taken, &given);
    ticket_free (&taken);
    ticket_free (&given);
    buffer_free (&text);
}

/*  Whatever is missing or wrong is refused, without a word of what is secret. */
static void
refusals (void **state)
{
    (void) state;
    static const char *const bad[] = {
        "", "end\n", "weft-ticket = 1\nend\n", "connect = -\nweft-ticket = 1\nend\n", "hello\n",
        "weft-ticket = 1\nconnect = -\nserver-key = short\nend\n", "weft-ticket = 1\nconnect = -\n",
        "weft-ticket = 1\nconnect=-\nend\n" };
    struct ticket given, taken;
    struct buffer text;
    make (&given, &text);
    for (size_t size = 0; size + 1 < buffer_size (&text); size++) {
        ticket_init (&taken);
        assert_int_not_equal (ticket_parse (&taken, buffer_data (&text), size, "T"), 0);
        assert_null (strstr (weft_error (), given.key.secret_key));
        ticket_free (&taken);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ticket_init (&taken);
        assert_int_equal (ticket_parse (&taken, bad[i], strlen (bad[i]), "T"), WEFT_EPROTO);
        ticket_free (&taken);
    }
    ticket_init (&taken);
    assert_int_equal (ticket_parse (&taken, "weft-ticket = 2\nend\n", 20, "T"), WEFT_ENOTSUP);
    assert_says ("another version");
    assert_int_equal (ticket_parse (&taken, "weft\0", 5, "T"), WEFT_EPROTO);
    assert_int_equal (ticket_add (&taken, "name", "a\nsecret-key = b"), WEFT_EINVAL);
    ticket_free (&taken);
    ticket_free (&given);
    buffer_free (&text);
}

/*  What follows a ticket on a descriptor stays there. */
static void
received (void **state)
{
    (void) state;
    struct ticket given, taken;
    struct buffer text;
    char rest[8] = "";
    int fds[2];
    make (&given, &text);
    assert_int_equal (pipe (fds), 0);
    assert_int_equal (buffer_add_str (&text, "rest"), 0);
    assert_int_equal (write (fds[1], buffer_data (&text), buffer_size (&text)), buffer_size (&text));
    ticket_init (&taken);
    assert_int_equal (ticket_receive (&taken, fds[0]), 0);
    assert_taken (&taken, &given);
    assert_int_equal (read (fds[0], rest, sizeof rest), 4);
    assert_string_equal (rest, "rest");
    close (fds[1]);
    assert_int_equal (ticket_receive (&taken, fds[0]), WEFT_EPROTO);
    close (fds[0]);
    ticket_free (&taken);
    ticket_free (&given);
    buffer_free (&text);
}

/*  A file that others can read holds no secret any more. */
static void
files (void **state)
{
    (void) state;
    struct ticket given, taken;
    struct buffer text;
    make (&given, &text);
    assert_int_equal (buffer_terminate (&text), 0);
    folder_write ("good", buffer_data (&text), 0600);
    folder_write ("open", buffer_data (&text), 0640);
    ticket_init (&taken);
    assert_int_equal (ticket_load (&taken, folder_path ("good")), 0);
    assert_taken (&taken, &given);
    assert_int_equal (ticket_load (&taken, folder_path ("open")), WEFT_EACCES);
    assert_says ("chmod");
    assert_true (ticket_load (&taken, folder_path ("none")) < 0);
    ticket_free (&taken);
    ticket_free (&given);
    buffer_free (&text);
}

/*  Keys in memory are read as files are, by us alone, and end with their descriptor. */
static void
in_memory (void **state)
{
    (void) state;
    struct certificate key, found;
    struct stat status;
    char path[64];
    assert_int_equal (certificate_new (&key, "run"), 0);
    int fd = ticket_key_memory (&key, path);
    assert_true (fd >= 0);
    assert_int_equal (stat (path, &status), 0);
    assert_int_equal (status.st_mode & 0777, 0600);
    assert_int_equal (certificate_find (&found, path), 0);
    assert_string_equal (found.secret_key, key.secret_key);
    close (fd);
    assert_int_not_equal (certificate_find (&found, path), 0);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (there_and_back), cmocka_unit_test (refusals),
                                        cmocka_unit_test (received), cmocka_unit_test (files),
                                        cmocka_unit_test (in_memory) };
    return cmocka_run_group_tests (tests, folder_setup, folder_teardown);
}
