/*  disk.h - what a program does to the files of a folder, written down, so that a crash can be had at each step of it
 *
 *  A program that includes tests/disk_calls.h has its calls seen here: write, truncate, sync, rename, unlink, and
 *  that a file came to be. From the record the folder is built again as a crash would have left it, between any two of
 *  them: by the death of the process (all that was called is there, the last perhaps in part) or by loss of power
 *  (what was synced is there; of the rest, anything). Faults can be had as well: calls that fail. */
#ifndef WEFT_TESTS_DISK_H
#define WEFT_TESTS_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum disk_crash {
    CRASH_KILL,         /*  kill -9: what was called was done                                       */
    CRASH_POWER,        /*  nothing is there but what was synced                                    */
    CRASH_TORN,         /*  of the rest some is there, some not, and some in part: as the seed says */
    CRASHES
};

/*  Of the files in `folder` from now on, after what is recorded already. `promise` is asked at each step: what has been
 *  promised to anybody before it. Names that end so are nobody's business: "-shm", "-lock", "-reserve". */
void disk_record (const char *folder, uint64_t (*promise) (void));
void disk_stop (void);
void disk_forget (size_t from);         /*  this step and all after it */

size_t disk_steps (void);
uint64_t disk_promised (size_t step);   /*  before this step began; past the last: in the end */
const char *disk_step (size_t step);    /*  in words */

/*  Empties the folder, and fills it as a crash before (or in) this step would have. */
void disk_crash (const char *folder, size_t step, enum disk_crash how, uint64_t seed);

/*  A sync that fails has lost what it was to sync: no later one saves it, whatever that says.
 *  The `nth` call (0 is the next) that writes or syncs, as `sync` says, in the recorded folder and `count` - 1
 *  after it fail with this errno. And all calls that were seen since. */
void disk_fault (bool sync, uint64_t nth, uint64_t count, int error);
uint64_t disk_calls (bool sync);
size_t disk_faulted (void);             /*  how many steps there were when the last one failed */

/*  Room is set aside in the folder alone, and is not counted as a call; elsewhere no file system can.
 *  Only so many bytes more may be added to the files of the folder; INT64_MAX: any. */
void disk_room (int64_t bytes);

/* -------------------------------------------------------- for disk_calls.h */

ssize_t disk_pwrite (int fd, const void *data, size_t size, off_t at);
int disk_ftruncate (int fd, off_t size);
int disk_fsync (int fd);
int disk_rename (const char *from, const char *to);
int disk_unlink (const char *name);
int disk_fallocate (int fd, int mode, off_t at, off_t size);

#endif
