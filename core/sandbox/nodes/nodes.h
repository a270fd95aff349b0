/*
 * nodes: the virtual nodes of the embedded cluster and the kubelets that play pods on them.
 *
 * Every Node with the annotation kwok.x-k8s.io/node is played: it becomes Ready, keeps its Lease, takes the pods that are bound to it
 * and reports the use of its devices. Other nodes are left alone. Nothing runs on the host.
 */
#ifndef STINT_SANDBOX_NODES_H
#define STINT_SANDBOX_NODES_H

#include "core/sandbox/api.h"
#include "core/sandbox/nodes/shapes.h"

struct fleet;

/* Plays from now on and answers logs, exec, attach and port-forward (sets api->nodes). Runs on the loop of api. */
struct fleet *fleet_new(struct stint_api *api);
void fleet_free(struct fleet *fleet); /* before the api */

/* Creates the Node objects of the shapes; the fleet plays them like any other. */
bool fleet_create_nodes(struct stint_api *api, const struct node_shapes *shapes, struct stint_error **err);

size_t fleet_node_count(const struct fleet *fleet); /* played now */

#endif
