/*  pool_outfiles.h - the files in which a head keeps what jobs write
 *
 *  One file at a time, that only grows; each head begins its own, so that what a crash has left of a last record is
 *  never followed by another. Bytes get their place when they are put in, and are written by outfiles_write. */
#ifndef WEFT_PATTERNS_POOL_OUTFILES_H
#define WEFT_PATTERNS_POOL_OUTFILES_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "codec/output_record.h"
#include "core/buffer.h"
#include "patterns/ledger.h"

struct outfiles {
    char *folder;                       /*  absolute                                                */
    int folder_fd;
    int64_t file_max;
    struct output_file head;            /*  of the file now                                         */
    char name[64];                      /*  "": none was begun                                      */
    int64_t at;                         /*  bytes of it, with those that are pending                */
    struct buffer pending;              /*  not written yet                                         */
    bool stalled;                       /*  the disk was full: nothing is tried                     */
    char trouble[512];                  /*  what was wrong the last time, in words                  */

    pthread_mutex_t mutex;              /*  of fd: the file is synced by another thread             */
    int fd;
    atomic_bool dirty, named;           /*  there is something to sync: bytes, a name               */
};

/*  Makes the folder, and those above it. A file ends when the next bytes would not fit into `file_max`. WEFT_EACCES,
 *  WEFT_EIO: it cannot be written to; outfiles_close is called all the same. */
int outfiles_open (struct outfiles *self, const char *path, int64_t file_max);
void outfiles_close (struct outfiles *self);

/*  What files are named by: before the first bytes. */
void outfiles_name (struct outfiles *self, const unsigned char *pool, uint64_t epoch);

/*  Puts in bytes that belong together, and says where they are, or will be. */
int outfiles_put (struct outfiles *self, const void *data, size_t size, char place[LEDGER_PLACE_MAX]);

/*  Writes what was put in. WEFT_ELIMIT: the disk is full, and nothing is tried before outfiles_retry; what is not
 *  written waits in memory, and no more should be put in. WEFT_EIO: it cannot be kept. */
int outfiles_write (struct outfiles *self);
void outfiles_retry (struct outfiles *self);

/*  Makes durable what was written, and the names of the files. WEFT_EIO: nobody knows what is on disk. Any thread. */
int outfiles_sync (void *self);

#endif
