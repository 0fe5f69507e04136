/*  test_certificate.c - keys as files: written, read strictly, and found by name */

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/certificate.h"
#include "core/file.h"
#include "tests/folder.h"
#include "tests/testing.h"

static char folder[FOLDER_SIZE];

/*  Keys of the CURVE specification's test (libzmq's tests/test_security_curve.cpp has them as well). */
#define PUBLIC "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define SECRET "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"
#define OTHER "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define META "metadata\n    name = \"alice\"\n"
#define CURVE "curve\n    public-key = \"" PUBLIC "\"\n"
#define BOTH CURVE "    secret-key = \"" SECRET "\"\n"

static int
parse (struct certificate *certificate, const char *text)
{
    /*  A block of its very size, so that a sanitizer sees the least step past the end. */
    size_t size = strlen (text);
    char *exact = malloc (size ? size : 1);
    assert_non_null (exact);
    memcpy (exact, text, size);
    int rc = certificate_parse (certificate, exact, size, "F");
    free (exact);
    return rc;
}

static void
texts (void **state)
{
    (void) state;
    static const char *const good[] = {
        META BOTH,
        BOTH,
        "#  a comment\n\n" META "    email = 'x \"y\" z'   # so\n        deeper = 1\n  # odd\n" BOTH "\n",
        "curve # here\r\n    secret-key = '" SECRET "'\r\n    public-key = " PUBLIC "\r\nmetadata",
        "metadata\n    name = \"no name of ours\"\n" BOTH,
    };
    struct certificate certificate;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (parse (&certificate, good[i]))
            fail_msg ("%zu: %s", i, weft_error ());
        assert_string_equal (certificate.public_key, PUBLIC);
        assert_string_equal (certificate.secret_key, SECRET);
        assert_string_equal (certificate.name, i == 0 || i == 2 ? "alice" : "");
    }
    assert_int_equal (parse (&certificate, META CURVE), 0);
    assert_string_equal (certificate.secret_key, "");
}

static void
bad_texts (void **state)
{
    (void) state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        { "", "F:0: it ends without a public-key" },
        { META, "F:2: it ends without" },
        { META "curve\n    secret-key = \"" SECRET "\"\n", "F:4: it ends without" },
        { "curves\n", "F:1: a certificate has the sections" },
        { "    public-key = \"" PUBLIC "\"\n", "F:1: expected a section" },
        { BOTH CURVE, "F:4: that section has been already" },
        { META BOTH META, "F:6: that section has been already" },
        { BOTH "    public-key = \"" PUBLIC "\"\n", "F:4: a second public-key" },
        { BOTH "    secret-key = \"" SECRET "\"\n", "F:4: a second secret-key" },
        { BOTH "    other = \"1\"\n", "F:4: below curve" },
        { BOTH "        other = \"1\"\n", "F:4: indented too far" },
        { "curve = 1\n", "F:1: a section has no value" },
        { "curve\n  public-key = \"" PUBLIC "\"\n", "F:2: indentation" },
        { "curve\n\tpublic-key = \"" PUBLIC "\"\n", "F:2: indentation" },
        { "curve\n    public-key = \"" PUBLIC "\n", "F:2: a quote" },
        { "curve\n    public-key = \"" PUBLIC "\" x\n", "F:2: something follows" },
        { "curve\n    public-key \"" PUBLIC "\"\n", "F:2: expected a =" },
        { "curve\n    = 1\n", "F:2: expected a name" },
        { "curve\n    public-key\n", "F:2: the public-key is not" },
        { "curve\n    public-key = \"" PUBLIC "x\"\n", "F:2: the public-key is not" },
        { "curve\n    public-key = \"%%%%%Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[Ia\"\n", "F:2: the public-key is not" },
        { CURVE "    secret-key = \"123\"\n", "F:3: the secret-key is not" },
        { "curve\n    public-key = \"" OTHER "\"\n    secret-key = \"" SECRET "\"\n", "F:3: the secret-key does not" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct certificate certificate;
        assert_int_equal (parse (&certificate, cases[i].text), WEFT_EPROTO);
        assert_says (cases[i].words);
        assert_null (strstr (weft_error (), SECRET));
        assert_string_equal (certificate.secret_key, "");
    }
    struct certificate certificate;
    assert_int_equal (certificate_parse (&certificate, "curve\n\0", 7, "F"), WEFT_EPROTO);
    assert_says ("F:2: a zero byte");
}

static void
key_texts (void **state)
{
    (void) state;
    assert_true (key_is_text (PUBLIC));
    assert_false (key_is_text (""));
    assert_false (key_is_text (PUBLIC "0"));
    assert_false (key_is_text ("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hI"));
    assert_false (key_is_text ("Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hI\""));
    assert_true (key_is_text ("%nSc0%nSc0%nSc0%nSc0%nSc0%nSc0%nSc0%nSc0"));
    assert_false (key_is_text ("%nSc0%nSc0%nSc0%nSc0%nSc0%nSc0%nSc0%nSc1"));
    unsigned char bytes[32];
    char key[KEY_TEXT], print[KEY_FINGERPRINT];
    curve_decode (bytes, PUBLIC);
    curve_encode (key, bytes);
    assert_string_equal (key, PUBLIC);
    /*  The paper's own examples: 127.0.0.1, 63.84.220.193, 216.35.68.215. */
    static const unsigned char example[32] = { 127, 0, 0, 1, 63, 84, 220, 193, 0xFF, 0xFF };
    curve_encode (key, example);
    key_fingerprint (key, print);
    assert_string_equal (print, "lusab-babad-gutih-tugad-zuzuz");
}

static void
names (void **state)
{
    (void) state;
    static const char *const good[] = { "alice", "a", "A.b_c-9", "1" };
    static const char *const bad[] = {
        "",    ".a",  "-a",
        "a/b", "a b", "\xc3\xa9",
        "a\n", "!a",  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true (key_is_name (good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct certificate certificate;
        assert_false (key_is_name (bad[i]));
        assert_int_equal (certificate_new (&certificate, bad[i]), WEFT_EINVAL);
    }
    assert_true (key_is_name (bad[8] + 1));
}

static void
assert_mode (const char *path, unsigned mode)
{
    struct stat status;
    assert_int_equal (stat (path, &status), 0);
    assert_int_equal (status.st_mode & 07777, mode);
}

/*  Nothing lies in the folder but what is counted here: no temporary file. */
static void
assert_files (int expected)
{
    DIR *directory = opendir (folder);
    int count = 0;
    while (readdir (directory))
        count++;
    closedir (directory);
    assert_int_equal (count - 2, expected);
}

static void
saved (void **state)
{
    (void) state;
    struct certificate made, loaded, second;
    const char *path = folder_path ("a.key");
    assert_int_equal (certificate_new (&made, "alice"), 0);
    mode_t mask = umask (0);
    assert_int_equal (certificate_save (&made, path, true, false), 0);
    assert_mode (path, 0600);
    umask (0777);
    assert_int_equal (certificate_save (&made, path, true, true), 0);
    assert_int_equal (certificate_save (&made, folder_path ("a.pub"), false, false), 0);
    umask (mask);
    assert_mode (folder_path ("a.key"), 0600);
    assert_mode (folder_path ("a.pub"), 0644);
    assert_int_equal (certificate_load (&loaded, folder_path ("a.key")), 0);
    assert_memory_equal (&loaded, &made, sizeof made);
    assert_int_equal (certificate_load (&loaded, folder_path ("a.pub")), 0);
    assert_string_equal (loaded.public_key, made.public_key);
    assert_string_equal (loaded.secret_key, "");

    assert_int_equal (certificate_new (&second, "alice"), 0);
    assert_string_not_equal (second.secret_key, made.secret_key);
    assert_int_equal (certificate_save (&second, folder_path ("a.key"), true, false), WEFT_ESTATE);
    assert_says ("it is there already");
    assert_int_equal (certificate_load (&loaded, folder_path ("a.key")), 0);
    assert_memory_equal (&loaded, &made, sizeof made);
    assert_int_equal (certificate_save (&second, folder_path ("no/a.key"), true, false), WEFT_EIO);
    assert_files (2);
    /*  It fails at the last step, and leaves nothing behind. */
    assert_int_equal (mkdir (folder_path ("folder"), 0700), 0);
    assert_int_equal (certificate_save (&second, folder_path ("folder"), true, true), WEFT_EIO);
    assert_int_equal (rmdir (folder_path ("folder")), 0);
    assert_files (2);

    /*  A link stays one, and what it leads to is replaced. */
    assert_int_equal (symlink ("a.key", folder_path ("link")), 0);
    assert_int_equal (certificate_save (&second, folder_path ("link"), true, false), WEFT_ESTATE);
    assert_int_equal (certificate_save (&second, folder_path ("link"), true, true), 0);
    assert_int_equal (certificate_load (&loaded, folder_path ("a.key")), 0);
    assert_memory_equal (&loaded, &second, sizeof made);
    assert_files (3);
}

/*  Of several that make the same key at once, one does, and it is the one that is there. */
enum { MAKERS = 4, ROUNDS = 50 };

static void *
maker (void *arg)
{
    struct certificate *certificate = arg;
    if (certificate_save (certificate, folder_path ("one"), true, false))
        certificate_forget (certificate);
    return NULL;
}

static void
at_once (void **state)
{
    (void) state;
    struct certificate made[MAKERS], loaded;
    assert_int_equal (certificate_new (&made[0], "alice"), 0);
    const struct certificate first = made[0];
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[MAKERS];
        int winners = 0;
        for (int i = 0; i < MAKERS; i++) {
            made[i] = first;
            made[i].name[0] = (char) ('a' + i);
            assert_int_equal (pthread_create (&threads[i], NULL, maker, &made[i]), 0);
        }
        for (int i = 0; i < MAKERS; i++)
            pthread_join (threads[i], NULL);
        assert_int_equal (certificate_load (&loaded, folder_path ("one")), 0);
        for (int i = 0; i < MAKERS; i++)
            if (made[i].name[0]) {
                winners++;
                assert_string_equal (made[i].name, loaded.name);
            }
        assert_int_equal (winners, 1);
        unlink (folder_path ("one"));
    }
    assert_files (0);
}

static void
hands (void **state)
{
    (void) state;
    struct certificate certificate;
    folder_write ("k", META BOTH, 0600);
    static const unsigned modes[] = { 0640, 0604, 0620, 0602, 0660, 0666, 0644 };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        chmod (folder_path ("k"), modes[i]);
        assert_int_equal (certificate_load (&certificate, folder_path ("k")), WEFT_EACCES);
        assert_says ("chmod 600");
        assert_string_equal (certificate.secret_key, "");
    }
    chmod (folder_path ("k"), 0400);
    assert_int_equal (certificate_load (&certificate, folder_path ("k")), 0);
    if (geteuid () == 0) {
        assert_int_equal (chown (folder_path ("k"), 12345, (gid_t) -1), 0);
        assert_int_equal (certificate_load (&certificate, folder_path ("k")), WEFT_EACCES);
        assert_says ("belongs to another user");
    }
    folder_write ("p", META CURVE, 0666);
    assert_int_equal (certificate_load (&certificate, folder_path ("p")), 0);
}

static void
no_files (void **state)
{
    (void) state;
    struct certificate certificate;
    assert_int_equal (certificate_load (&certificate, folder), WEFT_EINVAL);
    assert_int_equal (mkfifo (folder_path ("fifo"), 0600), 0);
    assert_int_equal (certificate_load (&certificate, folder_path ("fifo")), WEFT_EINVAL);
    assert_says ("it is not a file");
    folder_write ("large", META BOTH, 0600);
    assert_int_equal (truncate (folder_path ("large"), 65537), 0);
    assert_int_equal (certificate_load (&certificate, folder_path ("large")), WEFT_ETOOBIG);
    assert_int_equal (certificate_load (&certificate, folder_path ("none")), WEFT_EIO);
}

/*  zcert_save (cert, "z") writes z, and z_secret. */
static void
pairs (void **state)
{
    (void) state;
    struct certificate certificate;
    folder_write ("z", META CURVE, 0644);
    folder_write ("z_secret", META BOTH, 0600);
    assert_int_equal (certificate_load (&certificate, folder_path ("z")), 0);
    assert_string_equal (certificate.secret_key, SECRET);
    assert_int_equal (certificate_load_plain (&certificate, folder_path ("z")), 0);
    assert_string_equal (certificate.secret_key, "");
    chmod (folder_path ("z_secret"), 0644);
    assert_int_equal (certificate_load (&certificate, folder_path ("z")), WEFT_EACCES);
    folder_write ("z", META "curve\n    public-key = \"" OTHER "\"\n", 0644);
    chmod (folder_path ("z_secret"), 0600);
    assert_int_equal (certificate_load (&certificate, folder_path ("z")), WEFT_EPROTO);
    assert_says ("they are no pair");
    unlink (folder_path ("z"));
    assert_int_equal (certificate_load (&certificate, folder_path ("z")), 0);
    assert_string_equal (certificate.secret_key, SECRET);
    folder_write ("z_secret", META CURVE, 0600);
    assert_int_equal (certificate_load (&certificate, folder_path ("z")), WEFT_EPROTO);
    assert_says ("holds no secret key");
    /*  What is wrong with the file itself is not made good by one beside it. */
    folder_write ("z", "curves\n", 0644);
    folder_write ("z_secret", META BOTH, 0600);
    assert_int_equal (certificate_load (&certificate, folder_path ("z")), WEFT_EPROTO);
    assert_says ("z:1:");
}

static void
directory (void **state)
{
    (void) state;
    char path[KEY_PATH_MAX];
    unsetenv ("WEFT_KEYS");
    setenv ("XDG_CONFIG_HOME", "/x", 1);
    setenv ("HOME", "/h", 1);
    assert_int_equal (key_directory (path, false), 0);
    assert_string_equal (path, "/x/weft");
    setenv ("XDG_CONFIG_HOME", "relative", 1);
    assert_int_equal (key_directory (path, false), 0);
    assert_string_equal (path, "/h/.config/weft");
    unsetenv ("HOME");
    assert_int_equal (key_directory (path, false), WEFT_EINVAL);
    setenv ("WEFT_KEYS", folder_path ("a/b"), 1);
    assert_int_equal (key_directory (path, false), 0);
    assert_int_equal (access (path, F_OK), -1);
    assert_int_equal (key_directory (path, true), 0);
    assert_mode (path, 0700);
    assert_int_equal (key_path (path, "n", ".key"), 0);
    assert_string_equal (path, folder_path ("a/b/n.key"));
    static const unsigned modes[] = { 0770, 0720, 0702, 01777 };
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        chmod (folder_path ("a/b"), modes[i]);
        assert_int_equal (key_directory (path, i & 1), WEFT_EACCES);
        assert_int_equal (key_path (path, "n", ".key"), WEFT_EACCES);
    }
    chmod (folder_path ("a/b"), 0755);
    assert_int_equal (key_directory (path, true), 0);
    folder_write ("file", "", 0600);
    setenv ("WEFT_KEYS", folder_path ("file"), 1);
    assert_int_equal (key_directory (path, false), WEFT_EINVAL);
}

static void
found (void **state)
{
    (void) state;
    struct certificate certificate;
    char key[KEY_TEXT];
    setenv ("WEFT_KEYS", folder, 1);
    folder_write ("alice.key", META BOTH, 0600);
    folder_write ("server.pub", META CURVE, 0644);
    assert_int_equal (certificate_find (&certificate, "alice"), 0);
    assert_string_equal (certificate.secret_key, SECRET);
    assert_int_equal (certificate_find (&certificate, folder_path ("alice.key")), 0);
    assert_int_equal (certificate_find (&certificate, "bob"), WEFT_EINVAL);
    assert_says ("weft key new bob");
    assert_int_equal (certificate_find (&certificate, "a b"), WEFT_EINVAL);
    assert_int_equal (certificate_find (&certificate, folder_path ("server.pub")), WEFT_EINVAL);
    assert_says ("the secret one is needed");
    assert_int_equal (certificate_find (&certificate, folder_path ("nothing")), WEFT_EIO);

    assert_int_equal (certificate_find_public (key, OTHER), 0);
    assert_string_equal (key, OTHER);
    static const char *const ways[] = { "alice", "server", "alice.key", "server.pub" };
    for (int i = 0; i < 4; i++) {
        key[0] = '\0';
        assert_int_equal (certificate_find_public (key, i < 2 ? ways[i] : folder_path (ways[i])), 0);
        assert_string_equal (key, PUBLIC);
    }
    assert_int_equal (certificate_find_public (key, "nobody"), WEFT_EINVAL);
    assert_says ("there is no such key");
    assert_int_equal (certificate_find_public (key, "Yne@$w-vo<fV"), WEFT_EINVAL);
    assert_says ("and this has 12; put it in single quotes");
    assert_int_equal (certificate_find_public (key, "Yne/$w-vo<fV"), WEFT_EINVAL);
    assert_says ("and this has 12; put it in single quotes");
    assert_int_equal (certificate_find_public (key, folder_path ("nothing")), WEFT_EINVAL);
    assert_says ("there is no such file");
    assert_int_equal (certificate_find_public (key, "~ne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"), WEFT_EINVAL);
    assert_says ("not those of Z85");
    assert_int_equal (certificate_find_public (key, "a b"), WEFT_EINVAL);
}

static int
begin (void **state)
{
    (void) state;
    return folder_make (folder);
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, begin, folder_teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = { TEST (texts), TEST (bad_texts), TEST (key_texts), TEST (names),
                                        TEST (saved), TEST (at_once),   TEST (hands),     TEST (no_files),
                                        TEST (pairs), TEST (directory), TEST (found) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
