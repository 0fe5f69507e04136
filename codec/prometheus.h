/*  prometheus.h - metrics as the text that Prometheus reads (exposition format 0.0.4)
 *
 *  https://prometheus.io/docs/instrumenting/exposition_formats/ */
#ifndef WEFT_CODEC_PROMETHEUS_H
#define WEFT_CODEC_PROMETHEUS_H

#include "core/buffer.h"
#include "core/metrics.h"

#define PROMETHEUS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/*  All values of the registry, at the end of `text`. WEFT_ENOMEM, WEFT_ETOOBIG: then what is in it is not whole. */
int prometheus_write (struct metrics *metrics, struct buffer *text);

#endif
