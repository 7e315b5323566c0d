/* The binary interface of LV2 (https://lv2plug.in/ns), as far as this host gives it: so that a build needs no headers of others. */
#ifndef SSPHOST_LV2_H
#define SSPHOST_LV2_H

#include <stdarg.h>
#include <stdint.h>

typedef void *lv2_handle;

struct lv2_feature {
    const char *uri;
    void *data;
};

struct lv2_descriptor {
    const char *uri;
    lv2_handle (*instantiate)(const struct lv2_descriptor *descriptor, double rate, const char *bundle, const struct lv2_feature *const *features);
    void (*connect_port)(lv2_handle, uint32_t port, void *data);
    void (*activate)(lv2_handle);
    void (*run)(lv2_handle, uint32_t frames);
    void (*deactivate)(lv2_handle);
    void (*cleanup)(lv2_handle);
    const void *(*extension_data)(const char *uri);
};

struct lv2_library {
    void *handle;
    uint32_t size;
    void (*cleanup)(void *handle);
    const struct lv2_descriptor *(*get_plugin)(void *handle, uint32_t index);
};

struct lv2_map {
    void *handle;
    uint32_t (*map)(void *handle, const char *uri);
};

struct lv2_unmap {
    void *handle;
    const char *(*unmap)(void *handle, uint32_t urid);
};

struct lv2_option {
    int32_t context; /* 0: the instance */
    uint32_t subject;
    uint32_t key;
    uint32_t size;
    uint32_t type;
    const void *value;
};

struct lv2_schedule {
    void *handle;
    int (*schedule_work)(void *handle, uint32_t size, const void *data);
};

struct lv2_worker {
    int (*work)(lv2_handle, int (*respond)(void *handle, uint32_t size, const void *data), void *handle, uint32_t size, const void *data);
    int (*work_response)(lv2_handle, uint32_t size, const void *body);
    int (*end_run)(lv2_handle);
};

struct lv2_log {
    void *handle;
    int (*printf)(void *handle, uint32_t type, const char *format, ...);
    int (*vprintf)(void *handle, uint32_t type, const char *format, va_list arguments);
};

struct lv2_state {
    int (*save)(lv2_handle, int (*store)(void *handle, uint32_t key, const void *value, uint64_t size, uint32_t type, uint32_t flags), void *handle,
                uint32_t flags, const struct lv2_feature *const *features);
    int (*restore)(lv2_handle, const void *(*retrieve)(void *handle, uint32_t key, uint64_t *size, uint32_t *type, uint32_t *flags), void *handle,
                   uint32_t flags, const struct lv2_feature *const *features);
};

struct lv2_map_path {
    void *handle;
    char *(*abstract_path)(void *handle, const char *absolute);
    char *(*absolute_path)(void *handle, const char *abstract);
};

struct lv2_free_path {
    void *handle;
    void (*free_path)(void *handle, char *path);
};

struct lv2_atom {
    uint32_t size;
    uint32_t type;
};

/* A sequence: its size counts unit, pad and the events behind them. */
struct lv2_sequence {
    struct lv2_atom atom;
    uint32_t unit;
    uint32_t pad;
};

struct lv2_event {
    int64_t frames;
    struct lv2_atom body;
};

/* A property of an object, its value behind it; and the body of an object, the properties behind it. */
struct lv2_property {
    uint32_t key;
    uint32_t context;
    struct lv2_atom value;
};

struct lv2_object {
    uint32_t id;
    uint32_t type;
};

#endif
