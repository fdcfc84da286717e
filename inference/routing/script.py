"""The one script that gives and takes places at models, run inside Redis so that all processes agree.

For each model with slots or several deployments Redis holds what is held and what waits; a place belongs to a
process, and a process to its heartbeat. What a dead process held is taken from it by whoever beats next.

Turns are start-time fair queueing (Goyal, Vin, Cheng 1996) by person: a request's turn is one more than the last
turn of its person, or than what the others have reached, so that of two hundred requests of one person the
second stands behind the first of everybody else. Turns only grow, so nobody starves.

Keys under the prefix: `held:M` ticket → deployment|tokens|user|process, `load:M` counters per deployment,
`line:M` tickets by turn, `asks:M` ticket → user|tokens|process|tried, `turns:M` user → last turn,
`places:P` what process P holds or waits for, `alive:P` its heartbeat, `processes`, `models`,
`open:D` a deployment left alone, `ailing:D` one that was, with how many requests at once it is trusted with.

Everything may be said twice: a pipeline whose answer was lost on the way changes nothing more when it comes again.
"""

# Where a place is free, the first sixteen who wait are looked through for one whom that server can help.
LUA = """
local prefix, verb = KEYS[1], ARGV[1]
local function key(name, id) return prefix .. ':' .. name .. ':' .. id end

local function take_back(model, ticket, process)
  local held = redis.call('HGET', key('held', model), ticket)
  if held then
    local deployment, tokens = string.match(held, '^([^|]*)|([^|]*)|')
    redis.call('HDEL', key('held', model), ticket)
    redis.call('HINCRBY', key('load', model), 'n:' .. deployment, -1)
    redis.call('HINCRBY', key('load', model), 't:' .. deployment, -tonumber(tokens))
  elseif redis.call('ZREM', key('line', model), ticket) == 1 then
    redis.call('HDEL', key('asks', model), ticket)
  end
  redis.call('SREM', key('places', process), model .. '|' .. ticket)
  if redis.call('HLEN', key('held', model)) == 0 then
    if redis.call('ZCARD', key('line', model)) == 0 then redis.call('DEL', key('turns', model)) end
    -- Nothing is held, so nothing runs: whatever a count may have lost on its way is right again.
    for _, field in ipairs(redis.call('HKEYS', key('load', model))) do
      if string.sub(field, 1, 2) ~= 's:' then redis.call('HDEL', key('load', model), field) end
    end
  end
end

if verb == 'beat' then
  -- ARGV: verb, process, lease in ms; where the process cannot know what was heard of it also 1 and its tickets,
  -- and what else is there in its name is given back. Returns the models where places became free.
  redis.call('SET', key('alive', ARGV[2]), 1, 'PX', ARGV[3])
  redis.call('SADD', prefix .. ':processes', ARGV[2])
  local touched = {}
  if ARGV[4] then
    local known = {}
    for at = 5, #ARGV do known[ARGV[at]] = true end
    for _, place in ipairs(redis.call('SMEMBERS', key('places', ARGV[2]))) do
      local model, ticket = string.match(place, '^([^|]*)|(.*)$')
      if not known[ticket] then
        take_back(model, ticket, ARGV[2])
        touched[#touched + 1] = model
      end
    end
  end
  for _, process in ipairs(redis.call('SMEMBERS', prefix .. ':processes')) do
    if redis.call('EXISTS', key('alive', process)) == 0 then
      for _, place in ipairs(redis.call('SMEMBERS', key('places', process))) do
        local model, ticket = string.match(place, '^([^|]*)|(.*)$')
        take_back(model, ticket, process)
        touched[#touched + 1] = model
      end
      redis.call('DEL', key('places', process))
      redis.call('SREM', prefix .. ':processes', process)
    end
  end
  return touched
end

-- All other verbs: verb, process, plan of the model as JSON, …
local process, plan = ARGV[2], cjson.decode(ARGV[3])
local model = plan.model

local function choose(tokens, tried)
  if plan.slots and redis.call('HLEN', key('held', model)) >= plan.slots then return nil end
  local best, best_tier, best_score, best_served, lowest_tier
  for _, deployment in ipairs(plan.deployments) do
    local id = deployment.id
    if not string.find(tried, id, 1, true) then
      local load = redis.call('HMGET', key('load', model), 'n:' .. id, 't:' .. id, 's:' .. id)
      local running = tonumber(load[1] or '0')
      local tier = deployment.weight == 0 and 1 or 0
      local trusted = redis.call('GET', key('ailing', id))
      if redis.call('EXISTS', key('open', id)) == 1
        or (trusted and running >= tonumber(trusted)) then tier = tier + 2 end
      if not lowest_tier or tier < lowest_tier then lowest_tier = tier end
      if not (deployment.slots and running >= deployment.slots) then
        local weight = math.max(deployment.weight, 1)
        local score, served = (tonumber(load[2] or '0') + tokens) / weight, tonumber(load[3] or '0') / weight
        if not best or tier < best_tier or (tier == best_tier
          and (score < best_score or (score == best_score and served < best_served))) then
          best, best_tier, best_score, best_served = id, tier, score, served
        end
      end
    end
  end
  -- A sick server is no way around the line of a busy healthy one, where there is a line.
  if plan.bounded and best and best_tier >= 2 and lowest_tier < 2 then return nil end
  return best
end

local function hold(ticket, deployment, user, tokens, owner)
  redis.call('HSET', key('held', model), ticket, deployment .. '|' .. tokens .. '|' .. user .. '|' .. owner)
  redis.call('HINCRBY', key('load', model), 'n:' .. deployment, 1)
  redis.call('HINCRBY', key('load', model), 't:' .. deployment, tokens)
  redis.call('HINCRBY', key('load', model), 's:' .. deployment, 1)
end

-- A deployment as a process hears of it: with a mark where its answer is a trial of whether it is well again.
local function named(deployment)
  return redis.call('EXISTS', key('ailing', deployment)) == 1 and deployment .. '!' or deployment
end

-- What grant gives to requests of this very process: ticket, deployment, ticket, …
local ours = {}

-- Gives free places to those who wait, in turn; of the first, one whose servers are all busy is passed over.
local function grant()
  local is_given = true
  while is_given do
    is_given = false
    local line = redis.call('ZRANGE', key('line', model), 0, 15, 'WITHSCORES')
    for at = 1, #line, 2 do
      local ticket, turn = line[at], math.floor(tonumber(line[at + 1]) / 4294967296)
      local user, tokens, owner, tried =
        string.match(redis.call('HGET', key('asks', model), ticket) or '', '^([^|]*)|([^|]*)|([^|]*)|(.*)$')
      local deployment = user and choose(tonumber(tokens), tried)
      if not user then
        -- Redis had to forget a part of it, under pressure; nobody is held up by the rest.
        redis.call('ZREM', key('line', model), ticket)
      elseif deployment then
        redis.call('ZREM', key('line', model), ticket)
        redis.call('HDEL', key('asks', model), ticket)
        hold(ticket, deployment, user, tonumber(tokens), owner)
        if turn > tonumber(redis.call('HGET', key('turns', model), '#reached') or '0') then
          redis.call('HSET', key('turns', model), '#reached', turn)
        end
        if owner == process then
          ours[#ours + 1], ours[#ours + 2] = ticket, named(deployment)
        else
          redis.call('PUBLISH', key('granted', owner), ticket .. '|' .. named(deployment))
        end
        is_given = true
        break
      end
    end
  end
end

-- The deployment that a ticket has, or its place in the line as a number, or '' if it is unknown.
local function standing(ticket)
  local held = redis.call('HGET', key('held', model), ticket)
  if held then return named(string.match(held, '^([^|]*)|')) end
  local rank = redis.call('ZRANK', key('line', model), ticket)
  if rank then return rank + 1 end
  return ''
end

if verb == 'enter' then
  -- …, lease in ms, ticket, user, tokens, tried deployments. Returns its standing, then what became ours.
  local ticket, user, tokens, tried = ARGV[5], ARGV[6], tonumber(ARGV[7]), ARGV[8]
  redis.call('SET', key('alive', process), 1, 'PX', ARGV[4])
  redis.call('SADD', prefix .. ':processes', process)
  redis.call('SADD', prefix .. ':models', model)
  redis.call('SADD', key('places', process), model .. '|' .. ticket)
  redis.call('EXPIRE', key('load', model), 86400)
  local known = standing(ticket)
  if known ~= '' then return {known} end
  if not plan.bounded then
    local deployment = choose(tokens, tried)
    -- With every server tried there is none to hold; the process chooses as it does without Redis.
    if deployment then hold(ticket, deployment, user, tokens, process) end
    return {standing(ticket)}
  end
  local turns = key('turns', model)
  local reached = tonumber(redis.call('HGET', turns, '#reached') or '0')
  local last = tonumber(redis.call('HGET', turns, user) or '0')
  local turn = math.max(last, reached - plan.width) + 1
  redis.call('HSET', turns, user, turn)
  local arrival = redis.call('HINCRBY', turns, '#arrivals', 1)
  redis.call('ZADD', key('line', model), string.format('%.0f', turn * 4294967296 + arrival), ticket)
  redis.call('HSET', key('asks', model), ticket, user .. '|' .. tokens .. '|' .. process .. '|' .. tried)
  grant()
  return {standing(ticket), unpack(ours)}
end

if verb == 'leave' then
  -- …, ticket. Returns what became ours; how the line stands is asked once a second.
  take_back(model, ARGV[4], process)
  if plan.bounded then grant() end
  return ours
end

if verb == 'well' then
  -- …, deployment, most. It has answered: it is trusted with twice as many at once, beyond `most` with any number.
  local id = ARGV[4]
  local trusted = redis.call('GET', key('ailing', id))
  redis.call('DEL', key('open', id))
  if trusted and 2 * tonumber(trusted) <= tonumber(ARGV[5]) then
    redis.call('SET', key('ailing', id), 2 * tonumber(trusted), 'KEEPTTL')
  else
    redis.call('DEL', key('ailing', id))
  end
  if plan.bounded then grant() end
  return ours
end

if verb == 'look' then
  -- …, tickets. Returns their standings.
  grant()
  local found = {}
  for at = 4, #ARGV do found[#found + 1] = standing(ARGV[at]) end
  return found
end
"""
