-- For wrk: sends a file's tokens in turn, beside the headers of a browser's request behind a load balancer. Tells what came
-- of it as one line of JSON.
--   wrk … -s load.lua URL -- FILE POSITION

local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

function init(args)
  requests = {}
  position = tonumber(args[2])
  for token in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", "/v1/orders/4711?expand=items", {
      ["Host"] = "orders.example.com",
      ["Authorization"] = "Bearer " .. token,
      ["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
      ["Accept"] = "application/json, text/plain, */*",
      ["Accept-Encoding"] = "gzip, deflate, br",
      ["Accept-Language"] = "en-US,en;q=0.7,de;q=0.3",
      ["Cache-Control"] = "no-cache",
      ["Cookie"] = "theme=dark; consent=2",
      ["Referer"] = "https://orders.example.com/orders",
      ["Traceparent"] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      ["X-Forwarded-For"] = "203.0.113.7",
      ["X-Request-Id"] = "7f3f2b1e-6c1d-4f7e-9d55-0f6f7e1f2a90",
    })
  end
end

function request()
  position = position % #requests + 1
  return requests[position]
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "microseconds": %d, "refused": %d, "broken": %d, "position": %d, "p50": %d, "p99": %d}',
    summary.requests, summary.duration, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    threads[1]:get("position"), latency:percentile(50), latency:percentile(99)
  ))
end
