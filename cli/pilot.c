/*  pilot.c - what the pilot job of weft run --slurm needs: a folder that its nodes share, with ticket and script */

#include "cli/pilot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"
#include "core/file.h"

#define TICKET "ticket"
#define SCRIPT "pilot"

/*  What of the walltime is left, in seconds, less a twentieth of it (10 s to 120 s) for the last results; not more
 *  than `max` when that is not 0. squeue writes 3-04:05:06, 4:05:06 or 5:06, or a word when there is no limit. */
static const char lifetime_script[] =
    "life=$(squeue -h -j \"$SLURM_JOB_ID\" -o %%L | awk -v max=%lld '\n"
    "    { d = 0; t = $1; s = 0 }\n"
    "    split (t, a, \"-\") == 2 { d = a[1]; t = a[2] }\n"
    "    t ~ /^[0-9:]+$/ { n = split (t, p, \":\"); for (i = 1; i <= n; i++) s = s * 60 + p[i]; s += d * 86400\n"
    "        m = int (s / 20); m = m < 10 ? 10 : m > 120 ? 120 : m; s = s > m + 1 ? s - m : 1 }\n"
    "    END { print (max && (!s || s > max) ? max : s + 0) }')\n";

static const char worker_script[] =
    "exec srun --cpu-bind=none --wait=0 --ntasks-per-node=1 sh -c \\\n"
    "    'exec \"$0\" worker --ticket \"$1\" --lifetime \"$2\" --name \"$SLURMD_NODENAME:$SLURM_JOB_ID\"' \\\n";

const char *
pilot_script (const struct pilot *self)
{
    static _Thread_local char path[KEY_PATH_MAX + 16];
    snprintf (path, sizeof path, "%s/" SCRIPT, self->folder);
    return path;
}

const char *
pilot_output (const struct pilot *self, const char *job)
{
    static _Thread_local char path[KEY_PATH_MAX + 64];
    snprintf (path, sizeof path, "%s/%.32s.out", self->folder, job);
    return path;
}

/* ----------------------------------------------------------------- the script */

static int
add_quoted (struct buffer *out, const char *text)
{
    int rc = buffer_add_str (out, "'");
    for (; *text && rc == 0; text++)
        rc = *text == '\'' ? buffer_add_str (out, "'\\''") : buffer_add (out, text, 1);
    return rc ? rc : buffer_add_str (out, "'");
}

/*  How much of a node is asked for: what -j says when that is a number, else all of it. */
static int
add_size (struct buffer *out, const char *jobs)
{
    if (jobs && *jobs >= '1' && *jobs <= '9' && jobs[strspn (jobs, "0123456789")] == '\0')
        return buffer_addf (out, "#SBATCH --cpus-per-task=%s\n", jobs);
    return buffer_add_str (out, "#SBATCH --exclusive\n");
}

int
pilot_print (const struct pilot *self, const struct pilot_config *config, struct buffer *out)
{
    char here[PATH_MAX] = "weft";
    ssize_t size = config->weft ? 0 : readlink ("/proc/self/exe", here, sizeof here - 1);
    if (size > 0)
        here[size] = '\0';
    int rc = buffer_addf (out, "#!/bin/sh\n#SBATCH --job-name=weft\n#SBATCH --nodes=%lld\n"
                          "#SBATCH --ntasks-per-node=1\n", (long long) config->nodes);
    rc = rc ? rc : add_size (out, config->jobs);
    for (size_t i = 0; i < config->sbatch->count && rc == 0; i++) {
        if (strchr (config->sbatch->items[i], '\n'))
            return error_set (WEFT_EINVAL, "sbatch: a line break has no place in it");
        rc = buffer_addf (out, "#SBATCH %s\n", config->sbatch->items[i]);
    }
    rc = rc ? rc : buffer_addf (out, lifetime_script, (long long) ((config->lifetime + TIME_S - 1) / TIME_S));
    rc = rc ? rc : buffer_add_str (out, worker_script);
    rc = rc ? rc : buffer_add_str (out, "    ");
    rc = rc ? rc : add_quoted (out, config->weft ? config->weft : here);
    rc = rc ? rc : buffer_addf (out, " '%s/" TICKET "' \"$life\"\n", self->folder);
    return rc;
}

/* ----------------------------------------------------------------- the folder */

static void
remove_folder (const char *path)
{
    DIR *folder = opendir (path);
    for (struct dirent *entry; folder && (entry = readdir (folder)); )
        unlinkat (dirfd (folder), entry->d_name, 0);
    if (folder)
        closedir (folder);
    rmdir (path);
}

void
pilot_remove (struct pilot *self)
{
    if (self->folder[0])
        remove_folder (self->folder);
    self->folder[0] = '\0';
}

/*  Each directory of the path that is not there yet. */
static int
make_path (char *path)
{
    for (char *slash = path; slash; ) {
        slash = strchr (slash + 1, '/');
        if (slash)
            *slash = '\0';
        if (mkdir (path, 0700) && errno != EEXIST)
            return error_errno ("%s (--slurm-dir says where else the nodes and this machine share a folder)", path);
        if (slash)
            *slash = '/';
    }
    return 0;
}

static int
find_place (const char *dir, char path[KEY_PATH_MAX])
{
    const char *cache = getenv ("XDG_CACHE_HOME"), *home = getenv ("HOME");
    int size = dir                    ? snprintf (path, KEY_PATH_MAX, "%s", dir)
               : cache && *cache == '/' ? snprintf (path, KEY_PATH_MAX, "%s/weft", cache)
               : home && *home == '/'   ? snprintf (path, KEY_PATH_MAX, "%s/.cache/weft", home) : -1;
    if (size < 0)
        return error_set (WEFT_EINVAL, "HOME is not set: say with --slurm-dir where this machine and the nodes share a "
                          "folder");
    if (size >= KEY_PATH_MAX - 200 || strchr (path, '\'') || strchr (path, '\n') || strchr (path, '%'))
        return error_set (WEFT_EINVAL, "%s: the path is too long, or has a quote or %% in it", path);
    return make_path (path);
}

/*  "run-HOST-PID-XXXXXX" of a process of this machine that is no more. */
static void
sweep (const char *place, const char *prefix)
{
    char path[KEY_PATH_MAX + 260];
    DIR *folder = opendir (place);
    for (struct dirent *entry; folder && (entry = readdir (folder)); ) {
        if (strncmp (entry->d_name, prefix, strlen (prefix)) != 0)
            continue;
        char *end;
        long pid = strtol (entry->d_name + strlen (prefix), &end, 10);
        if (*end != '-' || strlen (end) != 7 || pid <= 0 || kill ((pid_t) pid, 0) == 0 || errno != ESRCH)
            continue;
        snprintf (path, sizeof path, "%s/%s", place, entry->d_name);
        remove_folder (path);
    }
    if (folder)
        closedir (folder);
}

static int
write_files (struct pilot *self, const struct pilot_config *config)
{
    struct buffer ticket, script;
    char path[KEY_PATH_MAX + 16];
    buffer_init (&ticket, 0);
    buffer_init (&script, 0);
    snprintf (path, sizeof path, "%s/" TICKET, self->folder);
    int rc = ticket_print (config->ticket, &ticket);
    rc = rc ? rc : file_save (path, &ticket, 0600, (gid_t) -1, false);
    rc = rc ? rc : pilot_print (self, config, &script);
    rc = rc ? rc : file_save (pilot_script (self), &script, 0700, (gid_t) -1, false);
    file_forget (&ticket);
    buffer_free (&script);
    return rc;
}

int
pilot_make (struct pilot *self, const struct pilot_config *config)
{
    char place[KEY_PATH_MAX], real[PATH_MAX], host[65] = "", prefix[100];
    gethostname (host, sizeof host - 1);
    snprintf (prefix, sizeof prefix, "run-%s-", host);
    int rc = find_place (config->dir, place);
    if (rc)
        return rc;
    sweep (place, prefix);
    if (!realpath (place, real)
        || snprintf (self->folder, sizeof self->folder, "%s/%s%d-XXXXXX", real, prefix, (int) getpid ()) < 0
        || !mkdtemp (self->folder)) {
        self->folder[0] = '\0';
        return error_errno ("cannot make a folder in %s (--slurm-dir says where else)", place);
    }
    rc = write_files (self, config);
    if (rc)
        pilot_remove (self);
    return rc;
}
