-- Counts a batch of asks, in order, by the generic cell rate algorithm: one number a key.
--
-- KEYS: each key once. ARGV: for each ask the number of its limits, then for each limit the place of its key, the
-- microseconds from one act to the next, and how many may come at once.
-- Returns for each ask two numbers: the place of the limit that refuses (0: admitted, and counted in all its limits;
-- else the one that takes longest, and nothing is counted) and the microseconds until it would not.
-- The time is this server's. A number that lies further ahead than a full burst can set it is taken for that burst: the
-- clock was set back, or the limit was lowered.

local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local due = {}
local lives = {}
local answers = {}

-- In parts, since Lua unpacks no more than some thousands at once.
for first = 1, #KEYS, 2000 do
  local last = math.min(first + 1999, #KEYS)
  for offset, found in ipairs(redis.call('MGET', unpack(KEYS, first, last))) do
    due[first + offset - 1] = found and tonumber(found) or now
  end
end

local at = 1
while at <= #ARGV do
  local limits = tonumber(ARGV[at])
  local refused, wait = 0, 0
  for limit = 0, limits - 1 do
    local place = tonumber(ARGV[at + 1 + limit * 3])
    local interval = tonumber(ARGV[at + 2 + limit * 3])
    local burst = tonumber(ARGV[at + 3 + limit * 3])
    local early = math.min(math.max(due[place], now), now + interval * burst) - now - interval * (burst - 1)
    if early > wait then
      refused, wait = limit + 1, early
    end
  end
  if refused == 0 then
    for limit = 0, limits - 1 do
      local place = tonumber(ARGV[at + 1 + limit * 3])
      local interval = tonumber(ARGV[at + 2 + limit * 3])
      due[place] = math.max(due[place], now) + interval
      lives[place] = true
    end
  end
  answers[#answers + 1] = refused
  answers[#answers + 1] = wait
  at = at + 1 + limits * 3
end

for place in pairs(lives) do
  local life = math.ceil((due[place] - now) / 1000)
  redis.call('SET', KEYS[place], string.format('%.0f', due[place]), 'PX', string.format('%.0f', life))
end
return answers
