/*  output_record.h - what jobs wrote, as it stands in a file that many of them share: docs/spec/output.md
 *
 *  A file is a line that says whose it is, and records. A record is a line that says of which job and attempt, which
 *  stream, how many bytes and their checksum; these bytes; and a newline. So the files can be read without anything
 *  else, and by people, and what a crash has left of the last record is seen to be none. */
#ifndef WEFT_CODEC_OUTPUT_RECORD_H
#define WEFT_CODEC_OUTPUT_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "core/buffer.h"

#define OUTPUT_DATA_MAX (1 << 20)       /*  bytes of a record                           */
#define OUTPUT_LINE_MAX 128             /*  of the line before them, or of a file       */
#define OUTPUT_POOL 16                  /*  bytes of a pool's identity                  */

/*  What a file says of itself. */
struct output_file {
    unsigned char pool[OUTPUT_POOL];
    uint64_t epoch;                     /*  of the head that wrote it                   */
    uint64_t number;                    /*  1 for its first file, and so on             */
};

struct output_record {
    uint64_t job;
    int64_t attempt;                    /*  with the epoch of the head that dealt it above the low 32 bits  */
    int stream;                         /*  1 standard output, 2 standard error         */
    const char *data;
    size_t size;
};

/*  WEFT_ENOMEM. A record of more than OUTPUT_DATA_MAX bytes is several. */
int output_put_file (struct buffer *out, const struct output_file *file);
int output_put (struct buffer *out, const struct output_record *record);

/*  From the front of `data`: how many bytes it took; 0 when they are not all there yet; WEFT_EPROTO when this is
 *  none. What a record points at is in `data`. */
int output_get_file (struct output_file *file, const void *data, size_t size);
int output_get (struct output_record *record, const void *data, size_t size);

#endif
