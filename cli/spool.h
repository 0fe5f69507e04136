/*  spool.h - output that waits for its turn: in memory, then in one unlinked file
 *
 *  One spool serves all jobs: its memory is bounded as a whole and for each
 *  stream, and whatever goes over that takes one descriptor and disk space that
 *  is given back as soon as the output is out. */
#ifndef WEFT_CLI_SPOOL_H
#define WEFT_CLI_SPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/buffer.h"

#define SPOOL_STREAM_MAX (1 << 20)      /*  bytes of a stream in memory */
#define SPOOL_MEMORY_MAX (64 << 20)     /*  of all                      */

struct spool {
    size_t stream_max, memory_max;
    size_t memory;              /*  bytes that are in memory now                */
    int fd;                     /*  -1 until it is needed                       */
    off_t end;                  /*  of what was written to it                   */
    uint64_t on_disk;           /*  bytes of it that still wait                 */
};

struct spool_extent {
    off_t offset;
    size_t size;
};

/*  The bytes of one stream, oldest first: extents, then memory. All zero is empty. */
struct spooled {
    struct spool_extent *extents;
    size_t first, count;        /*  extents before `first` are used up          */
    struct buffer memory;
};

void spool_init (struct spool *self);
void spool_close (struct spool *self);

int spool_add (struct spool *self, struct spooled *stream, const void *data, size_t size);

/*  Gives the bytes to `write` in order and forgets what that takes: it returns how many,
 *  fewer than `size` to be given no more for now, or an error. Returns 1 when bytes
 *  are left, 0 when none are, or the error. */
typedef ssize_t (spool_write_fn) (void *arg, const char *data, size_t size);
int spool_drain (struct spool *self, struct spooled *stream, spool_write_fn *write, void *arg);

static inline bool
spool_empty (const struct spooled *stream)
{
    return stream->first == stream->count && buffer_size (&stream->memory) == 0;
}

/*  Forgets the bytes and frees the memory. */
void spool_drop (struct spool *self, struct spooled *stream);

#endif
