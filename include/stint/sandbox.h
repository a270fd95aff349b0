/*
 * sandbox: a whole cluster inside this process: the Kubernetes API over HTTPS on loopback, controllers and virtual nodes.
 *
 * Everything runs on the given loop. The folder gets a CA, a kubeconfig (0600) and the files it names.
 */
#ifndef STINT_SANDBOX_H
#define STINT_SANDBOX_H

#include <stint/base.h>

struct stint_sandbox;

struct stint_sandbox_options {
	const char *dir; /* made when absent */
	int port; /* 0: any free one */
	int nodes; /* virtual nodes to begin with, named node-0 ... */
	int gpus; /* of each */
	const char *gpu_model; /* NULL: the default model */
	const char *shapes; /* YAML that describes groups of nodes (stint sandbox up --help); NULL: `nodes` equal ones */
	const char *shapes_name; /* what messages call it */
};

struct stint_sandbox *stint_sandbox_start(
	struct stint_loop *loop, const struct stint_sandbox_options *options, const struct stint_logger *logger, struct stint_error **err);
int stint_sandbox_port(const struct stint_sandbox *sandbox);
size_t stint_sandbox_nodes(const struct stint_sandbox *sandbox); /* how many there are now */
bool stint_sandbox_nodes_ready(const struct stint_sandbox *sandbox); /* all that it began with are played */
bool stint_sandbox_scheduler_leads(const struct stint_sandbox *sandbox); /* the Lease kube-system/stint-scheduler has a holder */
void stint_sandbox_stop(struct stint_sandbox *sandbox); /* NULL is fine */

#endif
