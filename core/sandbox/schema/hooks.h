/*
 * The functions that hang on single types: defaults that depend on other fields (defaults_*.c) and rules across fields (check_*.c).
 * hooks.c is the table that binds them to types. Internal to core/sandbox/schema/.
 */
#ifndef STINT_SANDBOX_SCHEMA_HOOKS_H
#define STINT_SANDBOX_SCHEMA_HOOKS_H

#include "core/sandbox/schema/types.h"

/* defaults_pod.c */
void schema_default_pod(struct stint_json *pod);
void schema_default_pod_spec(struct stint_json *spec);
void schema_default_container(struct stint_json *container);
void schema_default_volume(struct stint_json *volume);
void schema_default_image_volume(struct stint_json *source);
void schema_default_node_status(struct stint_json *status);

/* defaults_kinds.c */
void schema_default_namespace(struct stint_json *object);
void schema_default_secret(struct stint_json *object);
void schema_default_service_spec(struct stint_json *spec);
void schema_default_service_port(struct stint_json *port);
void schema_default_limit_range_item(struct stint_json *item);
void schema_default_deployment_strategy(struct stint_json *strategy);
void schema_default_stateful_set_strategy(struct stint_json *strategy);
void schema_default_stateful_set(struct stint_json *object);
void schema_default_daemon_set_strategy(struct stint_json *strategy);
void schema_default_replication_controller(struct stint_json *object);
void schema_default_job(struct stint_json *job);
void schema_default_autoscaler(struct stint_json *spec);
void schema_default_network_policy(struct stint_json *spec);
void schema_default_role_subject(struct stint_json *subject);
void schema_default_device_request(struct stint_json *request);
void schema_default_definition(struct stint_json *spec);

/* check_pod.c, check_container.c, check_volume.c */
void schema_check_pod(struct check *check, const struct stint_json *pod);
void schema_check_pod_spec(struct check *check, const struct stint_json *spec);
void schema_check_toleration(struct check *check, const struct stint_json *toleration);
void schema_check_node_selector(struct check *check, const struct stint_json *selector);
void schema_check_weight(struct check *check, const struct stint_json *term);
void schema_check_spread(struct check *check, const struct stint_json *constraint);
void schema_check_security(struct check *check, const struct stint_json *context);
void schema_check_affinity_term(struct check *check, const struct stint_json *term);
void schema_check_node_selector_requirement(struct check *check, const struct stint_json *requirement);
void schema_check_container(struct check *check, const struct stint_json *container);
void schema_check_container_port(struct check *check, const struct stint_json *port);
void schema_check_env_var(struct check *check, const struct stint_json *variable);
void schema_check_probe(struct check *check, const struct stint_json *probe);
void schema_check_lifecycle_handler(struct check *check, const struct stint_json *handler);
void schema_check_resources(struct check *check, const struct stint_json *resources);
void schema_check_volume(struct check *check, const struct stint_json *volume);
void schema_check_claim_spec(struct check *check, const struct stint_json *spec);
void schema_check_persistent_volume(struct check *check, const struct stint_json *volume);

/* check_meta.c */
void schema_check_template_metadata(struct check *check, const struct stint_json *metadata);
void schema_check_label_selector(struct check *check, const struct stint_json *selector);

/* check_workload.c */
void schema_check_deployment(struct check *check, const struct stint_json *object);
void schema_check_replica_set(struct check *check, const struct stint_json *object);
void schema_check_stateful_set(struct check *check, const struct stint_json *object);
void schema_check_daemon_set(struct check *check, const struct stint_json *object);
void schema_check_replication_controller(struct check *check, const struct stint_json *object);
void schema_check_job(struct check *check, const struct stint_json *object);
void schema_check_cron_job(struct check *check, const struct stint_json *object);

/* check_kinds.c */
void schema_check_config_map(struct check *check, const struct stint_json *object);
void schema_check_secret(struct check *check, const struct stint_json *object);
void schema_check_service(struct check *check, const struct stint_json *object);
void schema_check_event(struct check *check, const struct stint_json *object);
void schema_check_node(struct check *check, const struct stint_json *object);
void schema_check_priority_class(struct check *check, const struct stint_json *object);
void schema_check_disruption_budget(struct check *check, const struct stint_json *object);
void schema_check_lease(struct check *check, const struct stint_json *object);
void schema_check_policy_rule(struct check *check, const struct stint_json *rule);
void schema_check_autoscaler(struct check *check, const struct stint_json *object);
void schema_check_endpoint_slice(struct check *check, const struct stint_json *object);
void schema_check_roles_binding(struct check *check, const struct stint_json *object);

/* check_custom.c */
void schema_check_definition(struct check *check, const struct stint_json *object);
void schema_check_queue(struct check *check, const struct stint_json *object);
void schema_check_pod_group(struct check *check, const struct stint_json *object);
void schema_check_topology(struct check *check, const struct stint_json *object);

#endif
