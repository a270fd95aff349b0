/*
 * scheduler_client: a client for the why API of stint-scheduler itself, with the caller's own credentials and the CA that the scheduler's Lease names;
 * and the way to it through the API server.
 */
#ifndef STINT_CLI_SCHEDULER_CLIENT_H
#define STINT_CLI_SCHEDULER_CLIENT_H

#include <stint/kube.h>
#include <stint/text.h>

struct cli_scheduler_client;
/*
 * Whether it can be asked at all. It knows its caller by the credentials alone, and would answer one who acts as somebody else ("as: bob" in
 * the kubeconfig) with all that the real one may read.
 */
bool cli_scheduler_knows_caller(const struct stint_kube *kube);
/* url: https alone. lease may be NULL; kube, whose credentials these are, must outlive it. NULL: err. */
struct cli_scheduler_client *cli_scheduler_client_new(struct stint_kube *kube, const char *url, const struct stint_json *lease,
	const struct stint_kube_options *options, struct stint_error **err);
void cli_scheduler_client_free(struct cli_scheduler_client *client); /* NULL is fine */
struct stint_kube *cli_scheduler_client_kube(const struct cli_scheduler_client *client);
const char *cli_scheduler_client_server(const struct cli_scheduler_client *client); /* the URL without slashes at its end */

char *cli_why_path(const char *project, const char *name); /* "/v1/why/..."; freed by the caller */
char *cli_why_proxy_path(
	const struct stint_json *lease, const char *path); /* the same, asked of the API server: the Service has the Lease's name */

#endif
