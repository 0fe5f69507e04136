/*  outputfile.h - reads what jobs wrote, by its place in the files that --outputs keeps: docs/spec/output.md */
#ifndef WEFT_CLI_OUTPUTFILE_H
#define WEFT_CLI_OUTPUTFILE_H

#include "codec/output_record.h"

/*  The file that was read last stays open. All zero is one that has read nothing. */
struct outputfile {
    char path[4096];
    int fd;                     /*  plus 1; 0: none                                 */
    struct buffer data;
};

void outputfile_close (struct outputfile *self);

/*  Calls `take` with each record of a piece, in order, until it returns a negative result, which is returned. Where the
 *  file is not as the place says it is, the rest is not read: WEFT_EPROTO. The place is anybody's, and
 *  does not lead out of the folder. */
typedef int (outputfile_take_fn) (void *arg, const struct output_record *record);
int outputfile_read (struct outputfile *self, const char *folder, const char *place, uint64_t job,
                     outputfile_take_fn *take, void *arg);

#endif
