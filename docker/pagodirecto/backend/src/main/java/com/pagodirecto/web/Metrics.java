package com.pagodirecto.web;

import com.pagodirecto.database.Pool;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.TreeMap;

/** What Prometheus reads under /actuator/prometheus. */
public final class Metrics {
    private record Requests(long count, double seconds, double most) {}

    private final Pool pool;
    private final Map<String, Requests> requests = new TreeMap<>();

    public Metrics(Pool pool) {
        this.pool = pool;
    }

    synchronized void request(String method, int status, double seconds) {
        String labels = "{method=\"" + method + "\",status=\"" + status + "\"}";
        requests.merge(labels, new Requests(1, seconds, seconds),
                (a, b) -> new Requests(a.count + b.count, a.seconds + b.seconds, Math.max(a.most, b.most)));
    }

    synchronized String text() {
        StringBuilder out = new StringBuilder();
        out.append("# TYPE http_server_requests_seconds summary\n");
        requests.forEach((labels, it) -> {
            out.append("http_server_requests_seconds_count").append(labels).append(' ').append(it.count).append('\n');
            out.append("http_server_requests_seconds_sum").append(labels).append(' ').append(it.seconds).append('\n');
            out.append("http_server_requests_seconds_max").append(labels).append(' ').append(it.most).append('\n');
        });
        var memory = ManagementFactory.getMemoryMXBean();
        out.append("# TYPE jvm_memory_used_bytes gauge\n");
        out.append("jvm_memory_used_bytes{area=\"heap\"} ").append(memory.getHeapMemoryUsage().getUsed()).append('\n');
        out.append("jvm_memory_used_bytes{area=\"nonheap\"} ").append(memory.getNonHeapMemoryUsage().getUsed()).append('\n');
        out.append("# TYPE hikaricp_connections_active gauge\nhikaricp_connections_active ").append(pool.active()).append('\n');
        out.append("# TYPE hikaricp_connections_max gauge\nhikaricp_connections_max ").append(pool.size()).append('\n');
        double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage();
        double cpus = Runtime.getRuntime().availableProcessors();
        out.append("# TYPE system_cpu_usage gauge\nsystem_cpu_usage ").append(Math.min(1.0, load / cpus)).append('\n');
        return out.toString();
    }
}
