/*  output_record.c - what jobs wrote, as it stands in a file that many of them share */

#include "codec/output_record.h"

#include <inttypes.h>
#include <string.h>

#include "core/crc32.h"
#include "core/error.h"

static const char magic[] = "weft-output 1 ";
static const char *const streams[] = { "", "out", "err" };

/* ----------------------------------------------------------------- writing */

int
output_put_file (struct buffer *out, const struct output_file *file)
{
    int rc = buffer_add_str (out, magic);
    for (size_t i = 0; i < OUTPUT_POOL && rc == 0; i++)
        rc = buffer_addf (out, "%02x", file->pool[i]);
    return rc ? rc : buffer_addf (out, " %" PRIu64 " %" PRIu64 "\n", file->epoch, file->number);
}

/*  The checksum is of the line before it, too, with the space. */
static int
put_one (struct buffer *out, const struct output_record *record, const char *data, size_t size)
{
    size_t start = buffer_size (out);
    int rc = buffer_addf (out, "@%" PRIu64 " %" PRIu64 ".%" PRIu64 " %s %zu ", record->job,
                          (uint64_t) record->attempt >> 32, (uint64_t) record->attempt & UINT32_MAX,
                          streams[record->stream], size);
    if (rc == 0) {
        uint32_t crc = crc32_add (0, buffer_data (out) + start, buffer_size (out) - start);
        rc = buffer_addf (out, "%08" PRIx32 "\n", crc32_add (crc, data, size));
    }
    rc = rc ? rc : buffer_add (out, data, size);
    return rc ? rc : buffer_add (out, "\n", 1);
}

int
output_put (struct buffer *out, const struct output_record *record)
{
    const char *data = record->data;
    int rc = 0;
    for (size_t left = record->size; left && rc == 0; ) {
        size_t size = left < OUTPUT_DATA_MAX ? left : OUTPUT_DATA_MAX;
        rc = put_one (out, record, data, size);
        data += size;
        left -= size;
    }
    return rc;
}

/* ----------------------------------------------------------------- reading */

/*  A line that is read from its front; NULL in `at` once something did not fit. */
struct line {
    const char *at, *end;
};

static void
take_text (struct line *line, const char *text)
{
    size_t size = strlen (text);
    bool there = line->at && (size_t) (line->end - line->at) >= size && memcmp (line->at, text, size) == 0;
    line->at = there ? line->at + size : NULL;
}

/*  Decimal, as it is written: without a sign, and without a zero in front. */
static uint64_t
take_number (struct line *line, uint64_t most)
{
    uint64_t number = 0;
    const char *first = line->at;
    while (line->at && line->at < line->end && *line->at >= '0' && *line->at <= '9') {
        unsigned digit = (unsigned) (*line->at - '0');
        bool fits = number <= (most - digit) / 10 && (line->at == first || *first != '0');
        number = number * 10 + digit;
        line->at = fits ? line->at + 1 : NULL;
    }
    if (line->at == first)
        line->at = NULL;
    return number;
}

static unsigned
take_hex (struct line *line, int digits)
{
    unsigned number = 0;
    for (; digits && line->at; digits--) {
        static const char hex[] = "0123456789abcdef";
        const char *digit = line->at < line->end ? memchr (hex, *line->at, 16) : NULL;
        number = number << 4 | (digit ? (unsigned) (digit - hex) : 0);
        line->at = digit ? line->at + 1 : NULL;
    }
    return number;
}

/*  1 with a line; 0 when its end is not there yet. */
static int
begin_line (struct line *line, const char *data, size_t size, const char *what)
{
    size_t look = size < OUTPUT_LINE_MAX ? size : OUTPUT_LINE_MAX;
    const char *newline = memchr (data, '\n', look);
    *line = (struct line) { data, newline ? newline : data + look };
    if (newline)
        return 1;
    return size < OUTPUT_LINE_MAX ? 0 : error_set (WEFT_EPROTO, "this is no %s", what);
}

/*  What fits so far may go on; what does not never will. */
static int
wrong (const char *what)
{
    return error_set (WEFT_EPROTO, "this is no %s", what);
}

int
output_get_file (struct output_file *file, const void *data, size_t size)
{
    struct line line;
    size_t known = size < sizeof magic - 1 ? size : sizeof magic - 1;
    if (memcmp (data, magic, known) != 0)
        return wrong ("file of outputs, or of a later version");
    int rc = begin_line (&line, data, size, "file of outputs");
    if (rc <= 0)
        return rc;
    take_text (&line, magic);
    for (size_t i = 0; i < OUTPUT_POOL; i++)
        file->pool[i] = (unsigned char) take_hex (&line, 2);
    take_text (&line, " ");
    file->epoch = take_number (&line, UINT32_MAX);
    take_text (&line, " ");
    file->number = take_number (&line, INT64_MAX);
    if (line.at != line.end)
        return wrong ("file of outputs");
    return (int) (line.end + 1 - (const char *) data);
}

/*  The line, up to its checksum: where that stands; NULL. */
static const char *
take_record (struct line *line, struct output_record *record)
{
    take_text (line, "@");
    record->job = take_number (line, INT64_MAX);
    take_text (line, " ");
    uint64_t epoch = take_number (line, INT32_MAX);
    take_text (line, ".");
    record->attempt = (int64_t) (epoch << 32 | take_number (line, UINT32_MAX));
    take_text (line, " ");
    struct line err = *line;
    take_text (line, streams[1]);
    take_text (&err, streams[2]);
    record->stream = line->at ? 1 : 2;
    if (!line->at)
        *line = err;
    take_text (line, " ");
    record->size = (size_t) take_number (line, OUTPUT_DATA_MAX);
    take_text (line, " ");
    return line->at;
}

int
output_get (struct output_record *record, const void *data, size_t size)
{
    struct line line;
    const char *first = data;
    if (size && *first != '@')
        return wrong ("record of a job's output");
    int rc = size ? begin_line (&line, data, size, "record of a job's output") : 0;
    if (rc <= 0)
        return rc;
    const char *check = take_record (&line, record);
    unsigned wanted = take_hex (&line, 8);
    if (!line.at || line.at != line.end || !record->size)
        return wrong ("record of a job's output");
    record->data = line.end + 1;
    size_t whole = (size_t) (record->data - first) + record->size + 1;
    if (size < whole)
        return 0;
    uint32_t crc = crc32_add (0, first, (size_t) (check - first));
    if (crc32_add (crc, record->data, record->size) != wanted || record->data[record->size] != '\n')
        return wrong ("whole record of a job's output: its checksum is another");
    return (int) whole;
}
