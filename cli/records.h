/*  records.h - values parted by a delimiter, read from a file as they come */
#ifndef WEFT_CLI_RECORDS_H
#define WEFT_CLI_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buffer.h"

#define RECORDS_VALUE_MAX (1 << 20)     /*  bytes in one value; a command line can hold far less */

struct records {
    const char *name;           /*  for messages: the path, or "standard input"; the caller's   */
    int fd;
    bool owned;                 /*  close it                                                    */
    bool end;                   /*  the file has been read to its end                           */
    char delimiter[16];
    size_t delimiter_size;
    struct buffer in;
    size_t scanned;             /*  bytes of `in` that hold no delimiter                        */
    size_t taken;               /*  bytes of `in` that the last value used                      */
    uint64_t number;            /*  values so far                                               */
};

/*  "\n", "\0", ",", "\x1e" and so on, as typed, to bytes. WEFT_EINVAL. */
int records_delimiter (const char *text, char *delimiter, size_t *size);

/*  Opens a path; "-" is the descriptor `in`, which stays open. */
int records_open (struct records *self, const char *path, int in, const char *delimiter, size_t delimiter_size);
void records_close (struct records *self);

/*  Never waits. 1: *value is the next one, good until the next call; 0: nothing
 *  yet, wait until `fd` can be read; WEFT_EEND; or an error, which ends it. */
int records_next (struct records *self, char **value, size_t *size);

/*  Counts what is still to come, when that can be told beforehand (a plain file):
 *  false if not. */
bool records_count (const struct records *self, uint64_t *count);

#endif
