/*
 * environment: the variables that a container would see: what every container has, envFrom, and env with the downward API, ConfigMaps
 * and Secrets. Read-only over the store.
 */
#ifndef STINT_SANDBOX_ENVIRONMENT_H
#define STINT_SANDBOX_ENVIRONMENT_H

#include "core/sandbox/api.h"

/* An object of texts, owned by the caller. pod is the whole object; container a name in it. */
struct stint_json *environment_of(const struct stint_api *api, const struct stint_json *pod, const char *container);
/* The value of a downward API field path ("metadata.annotations['a']", "status.podIP"...); "" when there is none. Owned by the caller. */
char *environment_field(const struct stint_json *pod, const char *path);

#endif
