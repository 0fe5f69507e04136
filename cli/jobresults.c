/*  jobresults.c - what a job wrote, from the files of --results, found by what its ledger says */

#include "cli/jobresults.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/jobnote.h"
#include "cli/results.h"
#include "codec/pool_wire.h"
#include "core/error.h"

#define BLOCK 65536

/*  The values that the job was made of, as its head knew them, and where that put its results. */
struct finding {
    struct results results;
    struct arglist args, names;
    struct buffer command, place;
};

static int
find_place (struct finding *self, const struct ledgeroutput_spec *of, const char *path)
{
    struct pool_spec spec;
    struct pool_reader arguments;
    char slot[16];
    int rc = pool_get_spec (&spec, (struct pool_bytes) { of->spec, of->size }, &arguments);
    rc = rc ? rc : buffer_add (&self->command, spec.command.data, spec.command.size);
    rc = rc ? rc : buffer_terminate (&self->command);
    rc = rc ? rc : jobnote_read (spec.note.data, spec.note.size, buffer_data (&self->command), &self->args,
                                 &self->names);
    rc = rc ? rc : results_open (&self->results, path);
    if (rc == 0 && self->names.count)
        rc = results_name (&self->results, &self->names);
    snprintf (slot, sizeof slot, "%d", of->slot);
    return rc ? rc : results_place (&self->results, &self->args, spec.number ? spec.number : of->job, slot,
                                    &self->place);
}

/*  1 when there is such a file. */
static int
read_file (const struct finding *self, const struct ledgeroutput_spec *of, int stream, outputfile_take_fn *take,
           void *arg)
{
    char name[PATH_MAX], path[2 * PATH_MAX], data[BLOCK];
    struct output_record record = { .job = of->job, .attempt = of->attempt, .stream = stream, .data = data };
    ssize_t size = 0;
    int rc = results_path (buffer_data (&self->place), stream == 2, name);
    if (rc < 0)
        return rc;
    snprintf (path, sizeof path, "%s%s%s", *name == '/' ? "" : of->folder, *name == '/' ? "" : "/", name);
    int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT ? 0 : error_errno ("cannot read %s", path);
    while (rc >= 0 && (size = read (fd, data, sizeof data)) > 0) {
        record.size = (size_t) size;
        rc = take (arg, &record);
    }
    if (rc >= 0 && size < 0)
        rc = error_errno ("cannot read %s", path);
    close (fd);
    return rc < 0 ? rc : 1;
}

static int
read_results (struct finding *self, const struct ledgeroutput_spec *of, const char *path, outputfile_take_fn *take,
              void *arg)
{
    int rc = find_place (self, of, path);
    if (rc == 0 && results_are_rows (&self->results))
        return error_set (WEFT_ENOTSUP, "job %llu: what it wrote is a row in %s", (unsigned long long) of->job, path);
    rc = rc ? rc : read_file (self, of, 1, take, arg);
    int rc2 = rc > 0 ? read_file (self, of, 2, take, arg) : 0;
    return rc2 < 0 ? rc2 : rc;
}

int
jobresults_read (struct ledgeroutput *ledger, uint64_t id, outputfile_take_fn *take, void *arg)
{
    struct ledgeroutput_spec of;
    int64_t epoch = INT64_MAX;
    int rc = 0;
    /*  The last head that has them: one before it may have had another place. */
    while (rc == 0 && (rc = ledgeroutput_spec (ledger, id, &epoch, &of)) == 1) {
        struct finding self = { .results.kind = RESULTS_NONE };
        arglist_init (&self.args);
        arglist_init (&self.names);
        buffer_init (&self.command, 0);
        buffer_init (&self.place, 0);
        rc = read_results (&self, &of, of.results, take, arg);
        results_close (&self.results);
        arglist_free (&self.args);
        arglist_free (&self.names);
        buffer_free (&self.command);
        buffer_free (&self.place);
        if (rc)
            break;
    }
    return rc;
}
