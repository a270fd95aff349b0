/*
 * options: the command line and the configuration file of stint-scheduler.
 *
 * One table (options.c) declares every option once: the command line, the keys of the file (the same names) and --help come from it.
 * The command line wins over the file, the file over the default.
 */
#ifndef STINT_SCHEDULER_OPTIONS_H
#define STINT_SCHEDULER_OPTIONS_H

#include <stint/engine.h>

enum stint_evictions {
	STINT_EVICTIONS_BUDGETS, /* through the Eviction API */
	STINT_EVICTIONS_DIRECT, /* pods are deleted, whatever their disruption budgets say */
	STINT_EVICTIONS_OFF, /* none: what runs stays */
};

struct stint_scheduler_options {
	char *kubeconfig; /* NULL: KUBECONFIG, ~/.kube/config, else in-cluster */
	char **scheduler_names; /* NULL-ended, at least one */
	char *listen; /* "address:port"; NULL: by where it runs */
	bool leader_elect;
	char *lease_namespace; /* NULL: the pod's own, else kube-system */
	enum stint_placement gpu_placement, node_placement;
	struct stint_pool_placement *pool_placements; /* of pools that do otherwise; names are owned */
	uint32_t pool_placements_count;
	char *node_pool; /* the only pool that is served; NULL: all */
	enum stint_evictions evictions;
	int64_t eviction_rate; /* a second; 0: no bound */
	int64_t preempt_min_runtime_ms, reclaim_min_runtime_ms, stale_grace_ms;
	int64_t consolidation_max; /* workloads that one decision may move */
	enum stint_backfill backfill;
	double usage_factor; /* k of kai-engine 3.2 */
	int64_t usage_half_life_ms; /* 0: past use does not count */
	char *agent_image; /* of device holders */
	char *log_level;
	char *journal; /* a file that all that goes into the engine and comes out is written to; NULL: none */
	int64_t journal_mib; /* of such a file; 0: no bound */
	char *config;
	bool help, version; /* asked for: nothing else counts */
};

/* Defaults, then the file that --config names, then argv (argv[0] is skipped). On false *options is empty. Blocks on the file. */
bool stint_scheduler_options_parse(int argc, char *const *argv, struct stint_scheduler_options *options, struct stint_error **err);
/* The same from text of a configuration file, over what *options has. `origin` is for messages. */
bool stint_scheduler_options_read(
	struct stint_scheduler_options *options, const char *origin, const char *data, size_t length, struct stint_error **err);
/* What they mean to the engine. *policy borrows from *options. */
void stint_scheduler_options_policy(const struct stint_scheduler_options *options, struct stint_policy *policy);
void stint_scheduler_options_clear(struct stint_scheduler_options *options);
void stint_scheduler_options_help(struct stint_buf *out);

/* "host:port", "[v6]:port" or ":port" into a numeric address (NULL: all of them) and a port. */
bool stint_listen_parse(const char *text, char **address, int *port, struct stint_error **err);
enum stint_log_level stint_log_level_of(const struct stint_scheduler_options *options);

#endif
