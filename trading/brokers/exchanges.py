"""The exchanges at which an account can trade, by ccxt's names. Pure.

The web does not load ccxt, so they are listed: a test says that these are the ones of which ccxt
has a spot market and all that is asked of it. With another version of ccxt it may be another list.
"""

from __future__ import annotations

_NAMES = """
alpaca aster backpack bequant bigone binance binanceus bingx bitfinex bitflyer bitget bitopro
bitrue bitteam bittrade bitvavo blockchaincom btcmarkets bullish bybit bybiteu bybitid coinbase
coinbaseexchange coinmate coinsph cryptocom delta deribit derive digifinex fmfwio foxbit gate
gateeu hitbtc hollaex htx hyperliquid independentreserve kraken kucoin latoken lbank luno
mercado mexc myokx nado ndax okx okxus onetrading pacifica phemex poloniex revolutx tokocrypto
toobit weex whitebit woo xt
"""
NAMES = frozenset(_NAMES.split())
