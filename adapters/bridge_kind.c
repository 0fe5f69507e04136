/*  bridge_kind.c - the adapters that take part in a bridge, and a peer's way from one to another */

#include <stdlib.h>
#include <string.h>

#include "adapters/bridge_parts.h"
#include "codec/framing.h"
#include "core/error.h"

/*  The word of that number in a list with spaces; its size, 0 past the last. */
static size_t
word_of (const char *list, size_t index, const char **word)
{
    for (;; index--) {
        list += strspn (list, " ");
        size_t size = strcspn (list, " ");
        *word = list;
        if (size == 0 || index == 0)
            return size;
        list += size;
    }
}

const struct adapter *
bridge_kind (const struct adapter *adapter, size_t index)
{
    char name[32];
    const char *word;
    if (index == 0 || index >= BRIDGE_KINDS || !adapter->companions)
        return index == 0 ? adapter : NULL;
    size_t size = word_of (adapter->companions, index - 1, &word);
    if (size == 0 || size >= sizeof name)
        return NULL;
    memcpy (name, word, size);
    name[size] = '\0';
    return bridge_adapter_find (name);
}

int
bridge_configs_new (const struct adapter *adapter, struct bridge_setup *setup)
{
    const struct adapter *each;
    for (size_t i = 0; (each = bridge_kind (adapter, i)); i++) {
        setup->configs[i] = calloc (1, each->config_size + 1);
        if (!setup->configs[i]) {
            bridge_configs_free (setup);
            return error_set (WEFT_ENOMEM, "not enough memory");
        }
    }
    return 0;
}

void
bridge_configs_free (struct bridge_setup *setup)
{
    for (size_t i = 0; i < BRIDGE_KINDS; i++) {
        free (setup->configs[i]);
        setup->configs[i] = NULL;
    }
}

static int
begin (struct bridge_kind *kind, size_t max_size)
{
    return kind->adapter->init ? kind->adapter->init (kind->config, max_size) : 0;
}

static void
end (struct bridge_kind *kind)
{
    if (kind->adapter->fini)
        kind->adapter->fini (kind->config);
}

int
bridge_kinds_check (const struct adapter *adapter, struct bridge_setup *setup)
{
    const struct adapter *each;
    int rc = 0;
    for (size_t i = 0; rc == 0 && (each = bridge_kind (adapter, i)); i++) {
        struct bridge_kind kind = { each, setup->configs[i] };
        rc = kind.config ? begin (&kind, (size_t) setup->socket.max_size) : 0;
        if (rc == 0 && kind.config)
            end (&kind);
    }
    return rc;
}

int
bridge_kinds_open (struct bridge *self)
{
    const struct adapter *each;
    const char *accepts = self->adapter->accepts_by;
    for (size_t i = 0; (each = bridge_kind (self->adapter, i)); i++) {
        struct bridge_kind *kind = &self->kinds[self->kind_count];
        *kind = (struct bridge_kind) { each, self->setup->configs[i] };
        int rc = kind->config ? begin (kind, (size_t) self->setup->socket.max_size) : 0;
        if (rc)
            return rc;
        if (!kind->config)
            continue;
        if (accepts ? strcmp (each->name, accepts) == 0 : i == 0)
            self->accepting = kind;
        self->kind_count++;
    }
    return self->accepting ? 0 : error_set (WEFT_EINVAL, "%s needs %s beside it", self->adapter->name, accepts);
}

void
bridge_kinds_close (struct bridge *self)
{
    for (size_t i = 0; i < self->kind_count; i++)
        end (&self->kinds[i]);
}

size_t
bridge_wire_max (const struct bridge *self)
{
    size_t max_size = (size_t) self->setup->socket.max_size, most = 0;
    for (size_t i = 0; i < self->kind_count; i++) {
        const struct adapter *each = self->kinds[i].adapter;
        size_t size = each->wire_max ? each->wire_max (max_size) : max_size + FRAMING_OVERHEAD;
        most = size > most ? size : most;
    }
    return most;
}

/* ------------------------------------------------------------------------ hand-over */

static const struct bridge_kind *
find_kind (const struct bridge *self, const char *name)
{
    for (size_t i = 0; i < self->kind_count; i++)
        if (strcmp (self->kinds[i].adapter->name, name) == 0)
            return &self->kinds[i];
    return NULL;
}

int
bridge_hand_over (struct bridge_peer *peer, const char *name, const void *info)
{
    const struct bridge_kind *old = peer->kind, *kind = find_kind (peer->bridge, name);
    void *old_state = peer->state, *state;
    unsigned modes = peer->modes;
    if (!kind || !kind->adapter->upgraded)
        return error_set (WEFT_EINVAL, "%s is not spoken here", name);
    state = calloc (1, kind->adapter->state_size + 1);
    if (!state)
        return error_plain (WEFT_ENOMEM);
    bridge_set_timer (peer, TIME_FOREVER);      /*  it was the other's */
    peer->kind = kind;
    peer->state = state;
    int rc = kind->adapter->upgraded (peer, info);
    const struct bridge_kind *stays = rc ? old : kind, *goes = rc ? kind : old;
    void *kept = rc ? old_state : state, *gone = rc ? state : old_state;
    peer->kind = goes;
    peer->state = gone;
    if (goes->adapter->close)
        goes->adapter->close (peer);
    free (gone);
    peer->kind = stays;
    peer->state = kept;
    if (rc) {
        bridge_route (peer, modes);
        bridge_unsubscribe_all (peer);
    } else
        bridge_keep (peer);             /*  what both have agreed on */
    return rc;
}
