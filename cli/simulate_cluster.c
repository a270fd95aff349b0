/*
 * simulate_cluster: a live cluster, read once, printed as the scenario that it makes.
 */
#include "cli/simulate_cluster.h"

#include <stdio.h>

#include "cli/cluster_read.h"
#include "cli/output/output.h"

static int print_scenario(struct cli_context *ctx, const struct stint_json *scenario)
{
	int exit_code = STINT_OK;
	if (cli_print_object(ctx, scenario, NULL, &exit_code))
		return exit_code;
	stint_autofree char *text = stint_json_print_pretty(scenario);
	fprintf(ctx->out, "%s\n", text);
	return STINT_OK;
}

int cli_simulate_cluster(struct cli_context *ctx)
{
	STINT_CLEANUP(cli_cluster_clear) struct cli_cluster cluster = {0};
	struct stint_kube *kube = cli_connect(ctx);
	if (!kube || !cli_cluster_read(ctx, kube, "a snapshot is made of all of them", &cluster))
		return cli_failed(ctx);
	stint_autofree char *left_out = NULL;
	stint_auto_json *scenario = stint_snapshot_scenario(cluster.snapshot, stint_now_ms(), cli_switch(ctx, "anonymous"), &left_out);
	if (left_out)
		cli_note(ctx, "the snapshot leaves out what scenarios have no place for: %s", left_out);
	return print_scenario(ctx, scenario);
}
