/*  fuzz_output_record.c - any bytes as a file of outputs: what is taken is whole, and has one spelling */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/output_record.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check (const struct buffer *again, const char *data, int size)
{
    if (buffer_size (again) != (size_t) size || memcmp (buffer_data (again), data, (size_t) size) != 0)
        abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    struct output_file file;
    struct output_record record;
    struct buffer again;
    /*  A copy of its own size: what is read beyond it is seen. */
    char *bytes = malloc (size ? size : 1);
    if (!bytes)
        abort ();
    memcpy (bytes, data, size);
    buffer_init (&again, 0);
    int rc = output_get_file (&file, bytes, size);
    size_t at = rc > 0 ? (size_t) rc : 0;
    if (rc > 0) {
        if (output_put_file (&again, &file) < 0)
            abort ();
        check (&again, bytes, rc);
    }
    while ((rc = output_get (&record, bytes + at, size - at)) > 0) {
        buffer_clear (&again);
        if (output_put (&again, &record) < 0)
            abort ();
        check (&again, bytes + at, rc);
        at += (size_t) rc;
    }
    buffer_free (&again);
    free (bytes);
    return 0;
}
