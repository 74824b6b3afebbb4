-- For wrk: load.lua, but so many requests a second as are wanted, however quickly they are answered. Its thread has a slot for
-- each request, whichever connection is free then; one that is late goes at once.
--   wrk -t1 … -s paced.lua URL -- FILE POSITION RATE

dofile(debug.getinfo(1, "S").source:match("^@(.*)paced%.lua$") .. "load.lua")

local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds, microseconds; } moment; int gettimeofday(moment *, void *);")
local moment = ffi.new("moment")

local function milliseconds()
  ffi.C.gettimeofday(moment, nil)
  return tonumber(moment.seconds) * 1000 + tonumber(moment.microseconds) / 1000
end

local began, slots, rate
local open = init

function init(args)
  open(args)
  rate = tonumber(args[3]) / 1000
  slots = 0
end

function delay()
  local now = milliseconds()
  began = began or now
  slots = slots + 1
  return math.max(0, math.floor(began + slots / rate - now + 0.5))
end
