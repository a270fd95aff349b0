/*
 * definitions: CustomResourceDefinitions become kinds that are served.
 */
#ifndef STINT_SANDBOX_DEFINITIONS_H
#define STINT_SANDBOX_DEFINITIONS_H

#include "api.h"

#define STINT_DEFINITION_FINALIZER "customresourcecleanup.apiextensions.k8s.io"

struct stint_definitions;

struct stint_definitions *stint_definitions_new(struct stint_api *api);
void stint_definitions_free(struct stint_definitions *definitions);
/* What the first deletion of a definition does to it beside its deletionTimestamp. */
void stint_definition_terminate(struct stint_json *definition);

#endif
