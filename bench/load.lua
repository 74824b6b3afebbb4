-- For wrk: sends a file's tokens in turn, beside the headers of a browser's request behind a load balancer. Tells what came
-- of it as one line of JSON.
--   wrk … -s load.lua URL -- FILE POSITION       (in bytes: where the last run with that file ended)

local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

function init(args)
  file = assert(io.open(args[1]))
  position = file:seek("set", tonumber(args[2]))
  local request = wrk.format("GET", "/v1/orders/4711?expand=items", {
    ["Host"] = "orders.example.com",
    ["Authorization"] = "Bearer TOKEN",
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
  before, after = request:match("^(.*)TOKEN(.*)$")
end

function request()
  local token = file:read()
  if not token then
    position = file:seek("set", 0)
    token = file:read()
  end
  position = position + #token + 1
  return before .. token .. after
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "microseconds": %d, "refused": %d, "broken": [%d, %d, %d, %d], "position": %d, "p50": %d, "p99": %d}',
    summary.requests, summary.duration, errors.status, errors.connect, errors.read, errors.write, errors.timeout,
    threads[1]:get("position"), latency:percentile(50), latency:percentile(99)
  ))
end
