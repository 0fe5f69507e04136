/*  halt.c - when a run ends early, and with which exit status it ends */

#include "cli/halt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

#define FAILED_MAX 101          /*  this many or more   */

static int
halt_refuse (const char *text)
{
    return error_set (WEFT_EINVAL, "halt '%s': give never, or WHEN,WHY=N with WHEN now or soon, WHY fail, success or "
                      "done, and N a number or a percentage, as in now,fail=1 or soon,done=50%%", text);
}

/*  A number above 0, perhaps with a percent sign. */
static bool
halt_limit (struct halt *self, const char *text)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    self->limit = strtoull (text, &end, 10);
    self->percent = *end == '%';
    return self->limit > 0 && end[self->percent] == '\0' && (!self->percent || self->limit <= 100);
}

int
halt_parse (struct halt *self, const char *text)
{
    static const struct {
        const char *text;
        struct halt halt;
    } old[] = {
        { "never", { .when = HALT_NEVER } },
        { "0", { .when = HALT_NEVER } },
        { "1", { .when = HALT_SOON, .why = HALT_FAIL, .limit = 1 } },
        { "2", { .when = HALT_NOW, .why = HALT_FAIL, .limit = 1 } },
        { "-1", { .when = HALT_SOON, .why = HALT_SUCCESS, .limit = 1 } },
        { "-2", { .when = HALT_NOW, .why = HALT_SUCCESS, .limit = 1 } },
    };
    static const char *const reasons[] = { "fail=", "success=", "done=" };
    *self = (struct halt){ .when = HALT_NEVER };
    for (size_t i = 0; i < sizeof old / sizeof *old; i++)
        if (!text || strcmp (text, old[i].text) == 0) {
            *self = old[i].halt;
            return 0;
        }
    if (halt_limit (self, text) && self->percent) {
        self->when = HALT_SOON;
        return 0;
    }
    self->when = strncmp (text, "now,", 4) == 0 ? HALT_NOW : HALT_SOON;
    if (strncmp (text, "now,", 4) != 0 && strncmp (text, "soon,", 5) != 0)
        return halt_refuse (text);
    const char *at = strchr (text, ',') + 1;
    for (size_t i = 0; i < 3; i++)
        if (strncmp (at, reasons[i], strlen (reasons[i])) == 0) {
            self->why = (enum halt_why) i;
            return halt_limit (self, at + strlen (reasons[i])) ? 0 : halt_refuse (text);
        }
    return halt_refuse (text);
}

static int
failed_status (const struct halt *self)
{
    if (self->percent && self->total)
        return (int) ((self->failed * 100 + self->total - 1) / self->total);
    return self->failed < FAILED_MAX ? (int) self->failed : FAILED_MAX;
}

/*  Is the limit reached with the jobs that have ended? */
static bool
halt_reached (struct halt *self)
{
    uint64_t count = self->why == HALT_FAIL ? self->failed
                     : self->why == HALT_DONE ? self->done : self->done - self->failed;
    if (self->when == HALT_NEVER || self->reached || (self->percent && !self->total))
        return false;
    self->reached = self->percent ? count * 100 >= self->limit * self->total : count >= self->limit;
    self->status = self->why == HALT_SUCCESS ? 0 : failed_status (self);
    return self->reached;
}

bool
halt_job (struct halt *self, int status, int signal)
{
    bool failed = status != 0 || signal != 0;
    self->done++;
    self->failed += failed;
    if ((self->why == HALT_FAIL && !failed) || (self->why == HALT_SUCCESS && failed) || !halt_reached (self))
        return false;
    if (self->limit == 1 && !self->percent && self->why != HALT_SUCCESS)
        self->status = status ? status : signal ? 128 + signal : 0;
    return true;
}

bool
halt_total (struct halt *self, uint64_t total)
{
    self->total = total;
    return self->percent && self->done > 0 && halt_reached (self);
}

int
halt_status (const struct halt *self)
{
    return self->reached ? self->status : failed_status (self);
}
