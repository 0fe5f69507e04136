/*  disk.c - what a program does to the files of a folder, and how a crash leaves them */

#include "tests/disk.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"

enum { NAMES = 8, NAME = 32, STEPS = 20000, SECTOR = 512 };

enum kind { WRITE, TRUNCATE, SYNC, SYNC_FAILED, CREATE, RENAME, UNLINK, SYNC_FOLDER };

struct step {
    enum kind kind;
    char name[NAME], to[NAME];
    size_t at, size;
    char *data;
    uint64_t promised;
};

static struct {
    pthread_mutex_t mutex;
    char folder[128];
    bool on;
    uint64_t (*promise) (void);
    struct step steps[STEPS];
    size_t count;
    char names[NAMES][NAME];            /*  that exist */
    struct { uint64_t seen, from, count; int error; } faults[2];
    size_t faulted;                     /*  the step before which the last fault was */
    int64_t room;
} disk = { .mutex = PTHREAD_MUTEX_INITIALIZER, .room = INT64_MAX };

/*  libc's own, behind the program's. */
#define REAL(name) ((__typeof__ (&name)) real (#name))
static void *
real (const char *name)
{
    void *function = dlsym (RTLD_NEXT, name);
    if (!function)
        abort ();
    return function;
}

/* --------------------------------------------------------------- recording */

static bool
ends (const char *name, const char *ending)
{
    size_t size = strlen (name), wanted = strlen (ending);
    return size >= wanted && !strcmp (name + size - wanted, ending);
}

/*  A path's last part, if it is one of the folder; else NULL. */
static const char *
inside (const char *path)
{
    size_t size = strlen (disk.folder);
    if (!size || strncmp (path, disk.folder, size) || path[size] != '/')
        return NULL;
    const char *name = path + size + 1;
    return ends (name, " (deleted)") || strlen (name) >= NAME ? NULL : name;
}

static const char *
inside_fd (int fd, char *path, size_t size)
{
    char link[64];
    snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t got = readlink (link, path, size - 1);
    path[got > 0 ? got : 0] = '\0';
    return inside (path);
}

static bool
matters (const char *name)
{
    return disk.on && name && !ends (name, "-shm") && !ends (name, "-lock") && !ends (name, "-reserve");
}

static struct step *
add (enum kind kind, const char *name)
{
    if (disk.count == STEPS)
        abort ();
    struct step *step = &disk.steps[disk.count++];
    memset (step, 0, sizeof *step);
    step->kind = kind;
    snprintf (step->name, sizeof step->name, "%s", name);
    step->promised = disk.promise ? disk.promise () : 0;
    return step;
}

static char *
find_name (const char *name)
{
    for (size_t i = 0; i < NAMES; i++)
        if (!strcmp (disk.names[i], name))
            return disk.names[i];
    return NULL;
}

static void
exists (const char *name)
{
    if (find_name (name))
        return;
    strcpy (find_name (""), name);
    add (CREATE, name);
}

void
disk_record (const char *folder, uint64_t (*promise) (void))
{
    snprintf (disk.folder, sizeof disk.folder, "%s", folder);
    disk.promise = promise;
    disk.on = true;
}

void
disk_stop (void)
{
    disk.on = false;
    disk.promise = NULL;
    disk.folder[0] = '\0';
}

/*  And which names there are then. */
void
disk_forget (size_t from)
{
    while (disk.count > from)
        free (disk.steps[--disk.count].data);
    memset (disk.names, 0, sizeof disk.names);
    for (size_t i = 0; i < from; i++) {
        struct step *step = &disk.steps[i];
        if (step->kind == CREATE)
            strcpy (find_name (""), step->name);
        if (step->kind == UNLINK || step->kind == RENAME)
            *find_name (step->name) = '\0';
        if (step->kind == RENAME && !find_name (step->to))
            strcpy (find_name (""), step->to);
    }
}

size_t
disk_steps (void)
{
    return disk.count;
}

uint64_t
disk_promised (size_t step)
{
    return disk.steps[step].promised;
}

const char *
disk_step (size_t number)
{
    static const char *const kinds[] = { "write", "truncate", "sync", "failed sync", "create", "rename", "unlink",
                                         "sync folder" };
    static char text[128];
    const struct step *step = &disk.steps[number];
    if (number >= disk.count)
        return "the end";
    snprintf (text, sizeof text, "%zu: %s %s at %zu, %zu bytes", number, kinds[step->kind], step->name, step->at,
              step->size);
    return text;
}

/* ------------------------------------------------------------------ faults */

void
disk_fault (bool sync, uint64_t nth, uint64_t count, int error)
{
    disk.faults[sync].seen = 0;
    disk.faults[sync].from = nth;
    disk.faults[sync].count = count;
    disk.faults[sync].error = error;
}

size_t
disk_faulted (void)
{
    return disk.faulted;
}

uint64_t
disk_calls (bool sync)
{
    return disk.faults[sync].seen;
}

void
disk_room (int64_t bytes)
{
    pthread_mutex_lock (&disk.mutex);
    disk.room = bytes;
    pthread_mutex_unlock (&disk.mutex);
}

static bool
faulty (bool sync)
{
    uint64_t call = disk.faults[sync].seen++;
    if (!disk.faults[sync].error || call < disk.faults[sync].from ||
        call - disk.faults[sync].from >= disk.faults[sync].count)
        return false;
    disk.faulted = disk.count;
    errno = disk.faults[sync].error;
    return true;
}

/*  Does the file's growth to `end` fit? */
static bool
fits (int fd, int64_t end)
{
    struct stat stat;
    if (disk.room == INT64_MAX || fstat (fd, &stat) || end <= stat.st_size)
        return true;
    if (end - stat.st_size > disk.room) {
        errno = ENOSPC;
        return false;
    }
    disk.room -= end - stat.st_size;
    return true;
}

/* ------------------------------------------------------------------- calls */

ssize_t
disk_pwrite (int fd, const void *data, size_t size, off_t at)
{
    char path[512];
    ssize_t rc = -1;
    pthread_mutex_lock (&disk.mutex);
    const char *name = disk.on ? inside_fd (fd, path, sizeof path) : NULL;
    if (!name) {
        rc = REAL (pwrite) (fd, data, size, at);
    } else if (!faulty (false) && fits (fd, at + (off_t) size)) {
        if (matters (name)) {
            exists (name);
            struct step *step = add (WRITE, name);
            step->at = (size_t) at;
            step->size = size;
            step->data = malloc (size);
            memcpy (step->data, data, size);
        }
        rc = REAL (pwrite) (fd, data, size, at);
    }
    pthread_mutex_unlock (&disk.mutex);
    return rc;
}

int
disk_ftruncate (int fd, off_t size)
{
    char path[512];
    int rc = -1;
    pthread_mutex_lock (&disk.mutex);
    const char *name = disk.on ? inside_fd (fd, path, sizeof path) : NULL;
    if (matters (name)) {
        exists (name);
        add (TRUNCATE, name)->at = (size_t) size;
    }
    if (!name || fits (fd, size))
        rc = REAL (ftruncate) (fd, size);
    pthread_mutex_unlock (&disk.mutex);
    return rc;
}

int
disk_fsync (int fd)
{
    char path[512];
    int rc = -1;
    pthread_mutex_lock (&disk.mutex);
    const char *name = disk.on ? inside_fd (fd, path, sizeof path) : NULL;
    bool folder = disk.on && !strcmp (path, disk.folder);
    if (!folder && !name) {
        rc = REAL (fsync) (fd);
    } else if (faulty (true)) {
        if (!folder && matters (name) && find_name (name))
            add (SYNC_FAILED, name);
    } else {
        rc = 0;
        if (folder)
            add (SYNC_FOLDER, "");
        else if (matters (name)) {
            exists (name);
            add (SYNC, name);
        }
    }
    pthread_mutex_unlock (&disk.mutex);
    return rc;
}

int
disk_rename (const char *from, const char *to)
{
    pthread_mutex_lock (&disk.mutex);
    int rc = REAL (rename) (from, to);
    if (rc == 0 && matters (inside (from))) {
        char *name = find_name (inside (from)), *old = find_name (inside (to));
        strcpy (add (RENAME, inside (from))->to, inside (to));
        if (old)
            *old = '\0';
        strcpy (name, inside (to));
    }
    pthread_mutex_unlock (&disk.mutex);
    return rc;
}

int
disk_unlink (const char *path)
{
    pthread_mutex_lock (&disk.mutex);
    struct stat stat;
    int64_t freed = lstat (path, &stat) == 0 ? stat.st_size : 0;
    const char *name = disk.on ? inside (path) : NULL;
    char *known = matters (name) ? find_name (name) : NULL;
    int rc = REAL (unlink) (path);
    if (rc == 0 && known) {
        add (UNLINK, name);
        *known = '\0';
    }
    if (rc == 0 && name && disk.room != INT64_MAX)
        disk.room += freed;
    pthread_mutex_unlock (&disk.mutex);
    return rc;
}

int
disk_fallocate (int fd, int mode, off_t at, off_t size)
{
    char path[512];
    int rc = -1;
    pthread_mutex_lock (&disk.mutex);
    const char *name = disk.on ? inside_fd (fd, path, sizeof path) : NULL;
    (void) mode;
    if (!name)
        errno = EOPNOTSUPP;
    else if (fits (fd, at + size))
        rc = REAL (ftruncate) (fd, at + size);
    pthread_mutex_unlock (&disk.mutex);
    return rc;
}

/* ------------------------------------------------------------------- crash */

struct object {
    char *data;
    size_t size, capacity;
};

struct model {
    struct object objects[64];
    size_t objects_count;
    struct { char name[NAME]; size_t object; } names[NAMES];
    size_t *object_of;                  /*  by step */
    enum { UNSAFE, SAFE, DOOMED } *fate;    /*  by step: is it synced? Never, if a sync of it has failed */
};

static size_t
entry (struct model *model, const char *name)
{
    for (size_t i = 0; i < NAMES; i++)
        if (!strcmp (model->names[i].name, name))
            return i;
    return NAMES;
}

/*  Creates, renames, unlinks. */
static void
apply_name (struct model *model, const struct step *step, size_t object)
{
    size_t at = entry (model, step->name);
    if (step->kind == CREATE) {
        at = at < NAMES ? at : entry (model, "");
        strcpy (model->names[at].name, step->name);
        model->names[at].object = object;
    } else if (at < NAMES) {
        size_t old = step->kind == RENAME ? entry (model, step->to) : NAMES;
        if (old < NAMES)
            model->names[old].name[0] = '\0';
        strcpy (model->names[at].name, step->kind == RENAME ? step->to : "");
    }
}

/*  Which file each step is about, and what of it was synced before the crash. */
static void
follow (struct model *model, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct step *step = &disk.steps[i];
        if (step->kind == CREATE)
            apply_name (model, step, model->objects_count++);
        size_t at = entry (model, step->name);
        model->object_of[i] = *step->name && at < NAMES ? model->names[at].object : SIZE_MAX;
        if (step->kind == RENAME || step->kind == UNLINK)
            apply_name (model, step, 0);
        for (size_t j = 0; j < i; j++)
            if (model->fate[j] == UNSAFE &&
                (((step->kind == SYNC || step->kind == SYNC_FAILED) && disk.steps[j].kind <= TRUNCATE &&
                  model->object_of[j] == model->object_of[i]) ||
                 (step->kind == SYNC_FOLDER && disk.steps[j].kind >= CREATE)))
                model->fate[j] = step->kind == SYNC_FAILED ? DOOMED : SAFE;
    }
    memset (model->names, 0, sizeof model->names);
}

static void
resize (struct object *object, size_t size)
{
    if (size > object->capacity) {
        object->capacity = size * 2;
        object->data = realloc (object->data, object->capacity);
    }
    if (size > object->size)
        memset (object->data + object->size, 0, size - object->size);
    object->size = size;
}

static void
apply_data (struct object *object, const struct step *step, size_t from, size_t to)
{
    if (step->kind == TRUNCATE) {
        resize (object, step->at);
    } else if (to > from) {
        if (object->size < step->at + to)
            resize (object, step->at + to);
        memcpy (object->data + step->at + from, step->data + from, to - from);
    }
}

/*  What is left of a write that was not synced: all, nothing, its beginning or its end. */
static void
apply_unsafe (struct object *object, const struct step *step, enum disk_crash how, uint64_t *seed)
{
    size_t cut = step->size ? random_next (seed) % step->size / SECTOR * SECTOR : 0;
    if (how == CRASH_POWER)
        return;
    switch (random_next (seed) % 4) {
    case 0: apply_data (object, step, 0, step->size); break;
    case 1: break;
    case 2: apply_data (object, step, 0, cut); break;
    default: apply_data (object, step, cut, step->size); break;
    }
}

static void
apply (struct model *model, size_t count, enum disk_crash how, uint64_t *seed)
{
    bool names = true;
    for (size_t i = 0; i < count; i++) {
        const struct step *step = &disk.steps[i];
        bool sure = how == CRASH_KILL || model->fate[i] == SAFE;
        if (step->kind == SYNC || step->kind == SYNC_FAILED || step->kind == SYNC_FOLDER)
            continue;
        if (step->kind <= TRUNCATE) {
            struct object *object = &model->objects[model->object_of[i]];
            if (sure)
                apply_data (object, step, 0, step->size);
            else
                apply_unsafe (object, step, how, seed);
        } else {
            names = names && (sure || (how == CRASH_TORN && random_next (seed) % 2));
            if (names)
                apply_name (model, step, model->object_of[i]);
        }
    }
}

static void
write_out (const struct model *model, const char *folder)
{
    char path[256];
    DIR *dir = opendir (folder);
    for (struct dirent *found; (found = readdir (dir));)
        if (found->d_name[0] != '.') {
            snprintf (path, sizeof path, "%s/%.64s", folder, found->d_name);
            REAL (unlink) (path);
        }
    closedir (dir);
    for (size_t i = 0; i < NAMES; i++) {
        if (!model->names[i].name[0])
            continue;
        const struct object *object = &model->objects[model->names[i].object];
        snprintf (path, sizeof path, "%s/%s", folder, model->names[i].name);
        int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0 || REAL (pwrite) (fd, object->data ? object->data : "", object->size, 0) != (ssize_t) object->size)
            abort ();
        close (fd);
    }
}

void
disk_crash (const char *folder, size_t step, enum disk_crash how, uint64_t seed)
{
    struct model *model = calloc (1, sizeof *model);
    uint64_t random = seed * 2 + 1;
    model->object_of = calloc (step + 1, sizeof (size_t));
    model->fate = calloc (step + 1, sizeof *model->fate);
    follow (model, step);
    apply (model, step, how, &random);
    if (how == CRASH_KILL && step < disk.count && disk.steps[step].kind == WRITE) {
        size_t at = entry (model, disk.steps[step].name);
        apply_data (&model->objects[model->names[at].object], &disk.steps[step], 0,
                    random_next (&random) % (disk.steps[step].size + 1));
    }
    write_out (model, folder);
    for (size_t i = 0; i < model->objects_count; i++)
        free (model->objects[i].data);
    free (model->object_of);
    free (model->fate);
    free (model);
}
