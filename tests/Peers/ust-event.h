/* The tracepoint that ust-event.c times: the payload of our trace event (two times, two numbers). */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER ssp_peer
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./ust-event.h"

#if !defined(SSP_UST_EVENT_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define SSP_UST_EVENT_H

#include <lttng/tracepoint.h>
#include <stdint.h>

LTTNG_UST_TRACEPOINT_EVENT(ssp_peer, zone,
    LTTNG_UST_TP_ARGS(uint64_t, start, uint32_t, length, int32_t, subject, uint64_t, value),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(uint64_t, start, start)
        lttng_ust_field_integer(uint32_t, length, length)
        lttng_ust_field_integer(int32_t, subject, subject)
        lttng_ust_field_integer(uint64_t, value, value)))

#endif

#include <lttng/tracepoint-event.h>
