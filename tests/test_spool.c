/*  test_spool.c - bytes that wait in memory and in a file come back as they went in */

#include "cli/spool.h"
#include "tests/testing.h"

struct taker {
    char text[4096];
    size_t size, room;          /*  takes no more than room in all  */
    int error;
};

static ssize_t
take (void *arg, const char *data, size_t size)
{
    struct taker *self = arg;
    if (self->error)
        return self->error;
    size_t left = self->room - self->size;
    size = size < left ? size : left;
    memcpy (self->text + self->size, data, size);
    self->size += size;
    return (ssize_t) size;
}

static void
fill (struct spool *spool, struct spooled *stream, int count)
{
    char word[16];
    for (int i = 0; i < count; i++)
        assert_int_equal (spool_add (spool, stream, word, (size_t) sprintf (word, "%03d ", i)), 0);
}

/*  In pieces of every size, whatever is in the file and whatever is not. */
static void
pieces (void **state)
{
    (void) state;
    for (size_t piece = 1; piece <= 400; piece += 37) {
        struct spool spool;
        struct spooled stream = { .count = 0 };
        struct taker taker = { .room = 0 };
        char expected[4096] = "";
        spool_init (&spool);
        spool.stream_max = 64;
        fill (&spool, &stream, 100);
        for (int i = 0; i < 100; i++)
            sprintf (expected + strlen (expected), "%03d ", i);
        assert_true (spool.fd >= 0 && spool.memory <= 64);
        int rc = 1;
        while (rc == 1) {
            assert_false (spool_empty (&stream));
            taker.room += piece;
            rc = spool_drain (&spool, &stream, take, &taker);
        }
        assert_int_equal (rc, 0);
        assert_true (spool_empty (&stream));
        assert_int_equal (taker.size, 400);
        assert_memory_equal (taker.text, expected, 400);
        assert_int_equal (spool.memory + spool.on_disk, 0);
        spool_drop (&spool, &stream);
        spool_close (&spool);
    }
}

/*  The memory of all streams together has a limit, too. */
static void
shared_limit (void **state)
{
    (void) state;
    static char block[65536];
    struct spool spool;
    struct spooled streams[8] = { { .count = 0 } };
    spool_init (&spool);
    spool.memory_max = 4 * sizeof block;
    for (int i = 0; i < 8; i++)
        assert_int_equal (spool_add (&spool, &streams[i], block, sizeof block), 0);
    assert_true (spool.memory <= 4 * sizeof block);
    assert_int_equal (spool.memory + spool.on_disk, 8 * sizeof block);
    for (int i = 0; i < 8; i++)
        spool_drop (&spool, &streams[i]);
    assert_int_equal (spool.memory + spool.on_disk, 0);
    assert_int_equal (spool.end, 0);
    spool_close (&spool);
}

/*  What an error leaves is still there, and counted. */
static void
errors (void **state)
{
    (void) state;
    struct spool spool;
    struct spooled stream = { .count = 0 };
    struct taker taker = { .room = 4096, .error = WEFT_EEND };
    spool_init (&spool);
    spool.stream_max = 64;
    fill (&spool, &stream, 100);
    assert_int_equal (spool_drain (&spool, &stream, take, &taker), WEFT_EEND);
    taker.error = 0;
    assert_int_equal (spool_drain (&spool, &stream, take, &taker), 0);
    assert_int_equal (taker.size, 400);
    spool_drop (&spool, &stream);
    spool_close (&spool);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (pieces), cmocka_unit_test (shared_limit),
                                        cmocka_unit_test (errors) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
