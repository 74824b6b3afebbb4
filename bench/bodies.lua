-- For wrk: posts the lines of a file in turn. Tells what came of it as one line of JSON, and whether there were too few lines.
--   wrk … -s bodies.lua URL -- FILE CONTENT-TYPE AUTHORIZATION

local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

function init(args)
  file = assert(io.open(args[1]))
  short = false
  before = table.concat({
    "POST " .. wrk.path .. " HTTP/1.1",
    "Host: directory",
    "Authorization: " .. args[3],
    "Content-Type: " .. args[2],
    "Content-Length: ",
  }, "\r\n")
end

function request()
  local body = file:read()
  if not body then
    short = true
    file:seek("set", 0)
    body = file:read()
  end
  return before .. #body .. "\r\n\r\n" .. body
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests": %d, "microseconds": %d, "refused": %d, "broken": [%d, %d, %d, %d], "short": %s, "p50": %d, "p99": %d}',
    summary.requests, summary.duration, errors.status, errors.connect, errors.read, errors.write, errors.timeout,
    tostring(threads[1]:get("short")), latency:percentile(50), latency:percentile(99)
  ))
end
