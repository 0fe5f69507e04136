/*  scrape.h - metrics over HTTP, on a thread of its own
 *
 *  GET /metrics for Prometheus, /healthz for whoever only wants to know that the program lives, / says so. Whoever asks
 *  cannot hold up the program: it is answered by another thread, only so often in a second, and has only so much time
 *  and memory. */
#ifndef WEFT_CLI_SCRAPE_H
#define WEFT_CLI_SCRAPE_H

#include <stdbool.h>

#include "core/metrics.h"

struct scrape;

/*  Listens at `address` (core/address.h; beyond loopback only with `insecure`); whoever comes waits for scrape_start,
 *  which answers with the registry. That has to live until scrape_stop. WEFT_EENDPOINT, WEFT_EADDRINUSE, ... */
int scrape_open (struct scrape **self, struct metrics *metrics, const char *address, bool insecure);
int scrape_start (struct scrape *self);
void scrape_stop (struct scrape **self);

/*  Where it listens, with the port that it got. */
const char *scrape_address (const struct scrape *self);

#endif
