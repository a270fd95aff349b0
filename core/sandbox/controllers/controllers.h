/*
 * controllers: what a kube-controller-manager does, for the embedded cluster: Jobs, ReplicaSets, Deployments, StatefulSets, DaemonSets,
 * garbage collection, namespaces, service accounts, disruption budgets, endpoints, and the tidying of pods and Events.
 *
 * Event-driven, on the loop of the API. Decisions are pure functions (job.h, replicas.h, ...); the files *_edge.c carry them out.
 */
#ifndef STINT_SANDBOX_CONTROLLERS_H
#define STINT_SANDBOX_CONTROLLERS_H

#include "core/sandbox/api.h"

struct hub;

/* root_ca_pem goes into the ConfigMap kube-root-ca.crt of each namespace; copied. */
struct hub *controllers_new(struct stint_api *api, const char *root_ca_pem);
void controllers_free(struct hub *hub); /* before the api */

#endif
