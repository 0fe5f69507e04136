/*  fuzz_json.c - any bytes as JSON; and as a string, written and read again */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codec/json.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
read_value (const uint8_t *data, size_t size)
{
    /*  A block of its very size: reading past the end is seen. */
    char *text = malloc (size ? size : 1);
    if (!text)
        abort ();
    if (size > 0)
        memcpy (text, data, size);
    struct json_reader reader;
    json_reader_init (&reader, text, size);
    if (json_skip (&reader) == 0 && (json_end (&reader) != 0) != (reader.at != reader.end))
        abort ();
    free (text);
}

static void
write_string (const uint8_t *data, size_t size)
{
    struct buffer out;
    struct json_reader reader;
    struct json_string string;
    buffer_init (&out, 0);
    if (json_add_string (&out, data, size) != 0)
        abort ();
    json_reader_init (&reader, buffer_data (&out), buffer_size (&out));
    if (json_take_string (&reader, &string) != 0 || json_end (&reader) != 0)
        abort ();
    if (string.size != size || (size > 0 && memcmp (string.data, data, size) != 0))
        abort ();
    buffer_free (&out);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    read_value (data, size);
    if (json_is_text (data, size))
        write_string (data, size);
    return 0;
}
