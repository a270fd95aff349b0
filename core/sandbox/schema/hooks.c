/*
 * Which code hangs on which type.
 */
#include "core/sandbox/schema/hooks.h"

#include <string.h>

#define CORE "io.k8s.api.core.v1."
#define APPS "io.k8s.api.apps.v1."
#define RBAC "io.k8s.api.rbac.v1."
#define META "io.k8s.apimachinery.pkg.apis.meta.v1."

static const struct type_hook hooks[] = {
	{META "ObjectMeta", NULL, schema_check_template_metadata},
	{META "LabelSelector", NULL, schema_check_label_selector},
	{CORE "Pod", schema_default_pod, schema_check_pod},
	{CORE "PodSpec", schema_default_pod_spec, schema_check_pod_spec},
	{CORE "Container", schema_default_container, schema_check_container},
	{CORE "EphemeralContainer", schema_default_container, schema_check_container},
	{CORE "ContainerPort", NULL, schema_check_container_port},
	{CORE "EnvVar", NULL, schema_check_env_var},
	{CORE "Probe", NULL, schema_check_probe},
	{CORE "LifecycleHandler", NULL, schema_check_lifecycle_handler},
	{CORE "ResourceRequirements", NULL, schema_check_resources},
	{CORE "Toleration", NULL, schema_check_toleration},
	{CORE "PodAffinityTerm", NULL, schema_check_affinity_term},
	{CORE "NodeSelector", NULL, schema_check_node_selector},
	{CORE "PreferredSchedulingTerm", NULL, schema_check_weight},
	{CORE "WeightedPodAffinityTerm", NULL, schema_check_weight},
	{CORE "TopologySpreadConstraint", NULL, schema_check_spread},
	{CORE "PodSecurityContext", NULL, schema_check_security},
	{CORE "SecurityContext", NULL, schema_check_security},
	{CORE "NodeSelectorRequirement", NULL, schema_check_node_selector_requirement},
	{CORE "Volume", schema_default_volume, schema_check_volume},
	{CORE "ImageVolumeSource", schema_default_image_volume, NULL},
	{CORE "PersistentVolumeClaimSpec", NULL, schema_check_claim_spec},
	{CORE "PersistentVolume", NULL, schema_check_persistent_volume},
	{CORE "Node", NULL, schema_check_node},
	{CORE "NodeStatus", schema_default_node_status, NULL},
	{CORE "Namespace", schema_default_namespace, NULL},
	{CORE "ConfigMap", NULL, schema_check_config_map},
	{CORE "Secret", schema_default_secret, schema_check_secret},
	{CORE "Service", NULL, schema_check_service},
	{CORE "ServiceSpec", schema_default_service_spec, NULL},
	{CORE "ServicePort", schema_default_service_port, NULL},
	{CORE "Event", NULL, schema_check_event},
	{CORE "LimitRangeItem", schema_default_limit_range_item, NULL},
	{CORE "ReplicationController", schema_default_replication_controller, schema_check_replication_controller},
	{APPS "Deployment", NULL, schema_check_deployment},
	{APPS "DeploymentStrategy", schema_default_deployment_strategy, NULL},
	{APPS "ReplicaSet", NULL, schema_check_replica_set},
	{APPS "StatefulSet", schema_default_stateful_set, schema_check_stateful_set},
	{APPS "StatefulSetUpdateStrategy", schema_default_stateful_set_strategy, NULL},
	{APPS "DaemonSet", NULL, schema_check_daemon_set},
	{APPS "DaemonSetUpdateStrategy", schema_default_daemon_set_strategy, NULL},
	{"io.k8s.api.batch.v1.Job", schema_default_job, schema_check_job},
	{"io.k8s.api.batch.v1.CronJob", NULL, schema_check_cron_job},
	{"io.k8s.api.events.v1.Event", NULL, schema_check_event},
	{"io.k8s.api.discovery.v1.EndpointSlice", NULL, schema_check_endpoint_slice},
	{"io.k8s.api.scheduling.v1.PriorityClass", NULL, schema_check_priority_class},
	{"io.k8s.api.policy.v1.PodDisruptionBudget", NULL, schema_check_disruption_budget},
	{"io.k8s.api.coordination.v1.Lease", NULL, schema_check_lease},
	{"io.k8s.api.networking.v1.NetworkPolicySpec", schema_default_network_policy, NULL},
	{"io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec", schema_default_autoscaler, NULL},
	{"io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler", NULL, schema_check_autoscaler},
	{RBAC "PolicyRule", NULL, schema_check_policy_rule},
	{RBAC "Subject", schema_default_role_subject, NULL},
	{RBAC "RoleBinding", NULL, schema_check_roles_binding},
	{RBAC "ClusterRoleBinding", NULL, schema_check_roles_binding},
	{"io.k8s.api.resource.v1.ExactDeviceRequest", schema_default_device_request, NULL},
	{"io.k8s.api.resource.v1.DeviceSubRequest", schema_default_device_request, NULL},
	{"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec", schema_default_definition, NULL},
	{"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition", NULL, schema_check_definition},
	{"run.ai.scheduling.v2.Queue", NULL, schema_check_queue},
	{"run.ai.scheduling.v2alpha2.PodGroup", NULL, schema_check_pod_group},
	{"scheduler.kai.v1alpha1.Topology", NULL, schema_check_topology},
};

const struct type_hook *schema_hook(const char *full_name)
{
	for (size_t i = 0; i < STINT_COUNT(hooks); i++)
		if (strcmp(hooks[i].type, full_name) == 0)
			return &hooks[i];
	return NULL;
}
