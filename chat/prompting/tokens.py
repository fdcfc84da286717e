"""How many tokens a prompt is for a model whose tokenizer is not here, rather too many than too few.

By the bytes of its texts (`inference.tokens`). What a server counts of a prompt corrects the estimate for its model, in
this process: one that packs worse than assumed gets shorter prompts from then on, one that packs better longer ones.
"""

from collections import OrderedDict, deque

from inference.tokens import estimate_tokens
from inference.types import ChatRequest, ModelTarget

__all__ = ["TURN_OVERHEAD_TOKENS", "UNKNOWN_CONTEXT_TOKENS", "Calibration", "calibration", "estimate_tokens"]

# A server that does not say how much it reads is taken for a small one.
UNKNOWN_CONTEXT_TOKENS = 8192
# What a turn costs beside its text in the usual chat templates.
TURN_OVERHEAD_TOKENS = 6
# Of a shorter prompt the chat template is too large a part.
LEARN_FROM_TOKENS = 400
# So many prompts of a model are remembered, and as few say nothing yet.
_REMEMBERED = 32
_FEWEST = 4
_MODELS_MOST = 256
# The worst but a few: what is left out of a prompt is a smaller loss than a prompt that is refused.
_CAREFUL_SHARE = 0.9
_FACTOR_MIN, _FACTOR_MAX = 0.6, 2.5
# A model whose prompts all fitted may still get one in a language it packs worse.
_MARGIN = 1.08


class Calibration:
    """How many tokens the servers of each model count where one is estimated."""

    def __init__(self) -> None:
        self._ratios: OrderedDict[str, deque[float]] = OrderedDict()

    def learn(self, model_name: str, request: ChatRequest, counted: int) -> None:
        """A server has counted the tokens of this request. Pictures and tools say nothing about texts."""
        if request.extra or any(turn.pictures or turn.extra for turn in request.turns):
            return
        estimated = sum(estimate_tokens(turn.text) + TURN_OVERHEAD_TOKENS for turn in request.turns)
        if estimated < LEARN_FROM_TOKENS or counted <= 0:
            return
        ratios = self._ratios.setdefault(model_name, deque(maxlen=_REMEMBERED))
        ratios.append(counted / estimated)
        self._ratios.move_to_end(model_name)
        while len(self._ratios) > _MODELS_MOST:
            self._ratios.popitem(last=False)

    def factor(self, model_name: str) -> float:
        """Tokens of this model for one that is estimated; 1 while little is known."""
        ratios = sorted(self._ratios.get(model_name, ()))
        if len(ratios) < _FEWEST:
            return 1.0
        careful = ratios[min(int(len(ratios) * _CAREFUL_SHARE), len(ratios) - 1)]
        return min(max(careful * _MARGIN, _FACTOR_MIN), _FACTOR_MAX)

    def room(self, target: ModelTarget) -> int:
        """What the model reads at most, in estimated tokens."""
        return int((target.context_tokens or UNKNOWN_CONTEXT_TOKENS) / self.factor(target.name))


# One for the process.
calibration = Calibration()
